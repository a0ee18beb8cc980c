// Answers each frame that comes over its network card, after some work on it, until one says that it is the last.
//
// It sleeps in between and sets no timer: only a frame can wake it.

#include "../../../examples/runtime/guest.h"

#define CARD 0x10001000UL // the first virtio device: VIRTIO 1.2, section 4.2.2
#define REGISTER(offset) (*(volatile uint32_t *)(CARD + (offset)))
#define PLIC(offset) (*(volatile uint32_t *)(0x0c000000UL + (offset)))
#define SOURCE 1 // of the interrupt controller

#define SIZE 8
#define BUFFER 1600
#define HEADER 12
#define PAYLOAD (HEADER + 14) // behind the addresses and the type
#define LAST 0xff             // the first byte of a payload that says so

#define WRITABLE 2 // by the device

struct descriptor {
  uint64_t address;
  uint32_t bytes;
  uint16_t flags, next;
};
struct queue {
  struct descriptor descriptors[SIZE];
  struct {
    uint16_t flags, index, ring[SIZE];
  } available;
  struct {
    uint16_t flags, index;
    struct {
      uint32_t head, bytes;
    } ring[SIZE];
  } used __attribute__((aligned(4)));
} __attribute__((aligned(16)));

static volatile struct queue receive, transmit;
static uint8_t incoming[SIZE][BUFFER], outgoing[SIZE][BUFFER];

static void set_address(uint32_t offset, volatile void *part) {
  REGISTER(offset) = (uint32_t)(uintptr_t)part;
  REGISTER(offset + 4) = (uint32_t)((uintptr_t)part >> 32);
}

static void set_queue(uint32_t number, volatile struct queue *queue) {
  REGISTER(0x30) = number;
  REGISTER(0x38) = SIZE;
  set_address(0x80, queue->descriptors);
  set_address(0x90, &queue->available);
  set_address(0xa0, &queue->used);
  REGISTER(0x44) = 1;
}

static void offer(volatile struct queue *queue, uint16_t head) {
  queue->available.ring[queue->available.index % SIZE] = head;
  __asm__ volatile("fence" ::: "memory");
  queue->available.index++;
}

static void set_up(void) {
  REGISTER(0x70) = 1 | 2;
  REGISTER(0x24) = 1; // version 1, and nothing else
  REGISTER(0x20) = 1;
  REGISTER(0x70) = 1 | 2 | 8;
  set_queue(0, &receive);
  set_queue(1, &transmit);
  REGISTER(0x70) = 1 | 2 | 8 | 4;
  for (int i = 0; i < SIZE; i++) {
    receive.descriptors[i] = (struct descriptor){(uint64_t)incoming[i], BUFFER, WRITABLE, 0};
    offer(&receive, i);
  }
  PLIC(4 * SOURCE) = 1;
  PLIC(0x2000) = 1 << SOURCE;
  PLIC(0x200000) = 0;
  CSR_SET(mie, 1 << 11); // so that it wakes up, though interrupts are off
}

static void sleep_until_frame(uint16_t seen) {
  while (receive.used.index == seen) {
    __asm__ volatile("wfi" ::: "memory");
    uint32_t source = PLIC(0x200004);
    REGISTER(0x64) = REGISTER(0x60);
    if (source != 0) PLIC(0x200004) = source;
  }
}

// Something that takes a while and depends on all bytes.
static uint8_t work_on(const uint8_t *bytes, uint32_t count) {
  uint32_t sum = 1;
  for (int round = 0; round < 4; round++) {
    for (uint32_t i = 0; i < count; i++) {
      sum = (sum ^ bytes[i]) * 16777619u;
    }
  }
  return sum >> 24;
}

int main(void) {
  set_up();
  uint32_t frames = 0;
  for (uint16_t seen = 0;; seen++) {
    sleep_until_frame(seen);
    uint32_t head = receive.used.ring[seen % SIZE].head;
    uint32_t bytes = receive.used.ring[seen % SIZE].bytes;
    const uint8_t *frame = incoming[head];
    if (frame[PAYLOAD] == LAST) {
      break;
    }
    uint8_t sum = work_on(frame, bytes);
    uint8_t *answer = outgoing[seen % SIZE];
    for (uint32_t i = 0; i < bytes; i++) {
      answer[i] = i < PAYLOAD ? frame[i] : frame[i] ^ sum; // #BP1
    }
    transmit.descriptors[seen % SIZE] = (struct descriptor){(uint64_t)answer, bytes, 0, 0};
    offer(&transmit, seen % SIZE);
    REGISTER(0x50) = 1;
    offer(&receive, head);
    frames++;
    put_char('.');
  }
  put_text("\nframes: ");
  put_decimal(frames);
  put_char('\n');
  return 0;
}
