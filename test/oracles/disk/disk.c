// Writes records to its disk, reads back what it has written before, and flushes now and then. It prints a letter for each flush:
// `.` where it succeeded, `E` where it failed; `e` for a write that failed, `t` where more time has passed than a flush may take.
//
// What it does is written in the first sector of its disk: how many rounds; whether it takes up flushes (without, a write that is
// done is a safe one); whether it polls for the end of a request, without interrupts, or sleeps.

#include "../../../examples/runtime/guest.h"

#define DISK 0x10001000UL // the first virtio device: VIRTIO 1.2, sections 4.2.2 and 5.2
#define REGISTER(offset) (*(volatile uint32_t *)(DISK + (offset)))
#define PLIC(offset) (*(volatile uint32_t *)(0x0c000000UL + (offset)))
#define MTIME (*(volatile uint64_t *)(CLINT_BASE + 0xbff8))
#define MTIMECMP (*(volatile uint64_t *)(CLINT_BASE + 0x4000))
#define SOURCE 1 // of the interrupt controller

#define SIZE 8
#define SECTOR 512
#define RECORD (3 * SECTOR)
#define RECORDS 20   // places on the disk, behind the first sectors
#define LATE 100000  // ticks: ten milliseconds

#define NEXT 1
#define WRITABLE 2 // by the device
#define QUIET 1    // no interrupt, please

enum { READ = 0, WRITE = 1, FLUSH = 4 };

struct descriptor {
  uint64_t address;
  uint32_t bytes;
  uint16_t flags, next;
};

static volatile struct {
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
} queue __attribute__((aligned(16)));

static struct {
  uint32_t type, reserved;
  uint64_t sector;
} header;
static volatile uint8_t result;
static uint8_t buffer[RECORD], again[RECORD];
static int polls;
static uint16_t seen;

static void set_address(uint32_t offset, volatile void *part) {
  REGISTER(offset) = (uint32_t)(uintptr_t)part;
  REGISTER(offset + 4) = (uint32_t)((uintptr_t)part >> 32);
}

static void set_up(int flushes) {
  REGISTER(0x70) = 0;
  REGISTER(0x70) = 1 | 2;
  REGISTER(0x24) = 0;
  REGISTER(0x20) = flushes ? 1 << 9 : 0;
  REGISTER(0x24) = 1;
  REGISTER(0x20) = 1;
  REGISTER(0x70) = 1 | 2 | 8;
  REGISTER(0x30) = 0;
  REGISTER(0x38) = SIZE;
  set_address(0x80, queue.descriptors);
  set_address(0x90, &queue.available);
  set_address(0xa0, &queue.used);
  queue.available.index = queue.used.index = seen = 0;
  REGISTER(0x44) = 1;
  REGISTER(0x70) = 1 | 2 | 8 | 4;
  PLIC(4 * SOURCE) = 1;
  PLIC(0x2000) = 1 << SOURCE;
  PLIC(0x200000) = 0;
  CSR_SET(mie, 1 << 11 | 1 << 7); // so that it wakes up, though interrupts are off
}

// Gives the status. A timer that is far away is set meanwhile.
static int request(uint32_t type, uint64_t sector, uint8_t *data, uint32_t bytes) {
  header.type = type;
  header.sector = sector;
  result = 0xff;
  queue.descriptors[0] = (struct descriptor){(uint64_t)&header, sizeof header, NEXT, data ? 1 : 2};
  queue.descriptors[1] = (struct descriptor){(uint64_t)data, bytes, NEXT | (type == READ ? WRITABLE : 0), 2};
  queue.descriptors[2] = (struct descriptor){(uint64_t)&result, 1, WRITABLE, 0};
  queue.available.flags = polls ? QUIET : 0;
  queue.available.ring[queue.available.index % SIZE] = 0;
  __asm__ volatile("fence" ::: "memory");
  queue.available.index++;
  uint64_t begin = MTIME;
  MTIMECMP = begin + 5 * LATE;
  REGISTER(0x50) = 0;
  while (queue.used.index == seen) {
    if (!polls) __asm__ volatile("wfi" ::: "memory");
    if (MTIME - begin > LATE) {
      put_char('t');
      begin = MTIME;
      MTIMECMP = begin + 5 * LATE;
    }
  }
  seen++;
  if (!polls) {
    uint32_t source = PLIC(0x200004);
    REGISTER(0x64) = REGISTER(0x60);
    if (source != 0) PLIC(0x200004) = source;
  }
  return result;
}

// Something that takes a while and depends on all bytes.
static uint32_t work_on(const uint8_t *bytes, uint32_t count, uint32_t sum) {
  for (uint32_t i = 0; i < count; i++) sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

static uint64_t place_of(uint32_t record) { return 2 + record % RECORDS * (RECORD / SECTOR); }

int main(void) {
  set_up(1);
  if (request(READ, 0, buffer, SECTOR) != 0) guest_fail("the disk cannot be read");
  uint32_t rounds = buffer[0];
  int flushes = buffer[1] == 0;
  polls = buffer[2];
  set_up(flushes);
  uint32_t sum = 1, record = 0;
  for (uint32_t round = 0; round < rounds; round++) {
    for (uint32_t i = 0; i < RECORD; i++) {
      sum = sum * 1664525u + 1013904223u; // #BP1
      buffer[i] = sum >> 24;
    }
    if (request(WRITE, place_of(record), buffer, RECORD) != 0) put_char('e');
    // What was there before, or was written some rounds ago.
    if (request(READ, place_of(record * 7 + 3), again, RECORD) != 0) put_char('r');
    sum = work_on(again, RECORD, sum);
    record += 1 + (sum >> 20 & 3);
    if (flushes && round % 3 == 2) put_char(request(FLUSH, 0, 0, 0) == 0 ? '.' : 'E');
  }
  put_text("\nsum: ");
  put_hex32(sum);
  put_char('\n');
  return 0;
}
