// Takes in one thing after another that is no function of what it has done so far: when an interrupt comes, what clocks
// say, random numbers, when a disk is done, when somebody types, whether a reservation holds. It says what it got.
//
// Replicas stay together only if somebody gives all of them the same. Each step has a function of its own, so
// that one sees which input they came apart by.

#include "../runtime/guest.h"

#define READ(address) (*(volatile uint32_t *)(address))
#define MTIMECMP (*(volatile uint64_t *)(CLINT_BASE + 0x4000))
#define RTC_BASE 0x00101000UL
#define PLIC(offset) READ(0x0c000000UL + (offset))
#define UART(offset) (*(volatile uint8_t *)(UART_BASE + (offset)))
#define UART_SOURCE 10 // of the interrupt controller

#define MSTATUS_MIE 0x8
#define MIE_MTIE 0x80
#define MIE_MEIE 0x800
#define CAUSE_TIMER 0x8000000000000007UL
#define CAUSE_EXTERNAL 0x800000000000000bUL

#define TIMER_DUE 500 // ticks of 100 ns
#define ADDITIONS 2000

// Which of the steps are made, a bit each; tests put others here.
volatile uint32_t steps = ~0u;

static volatile int interrupted;

void trap_handler(uint64_t cause, uint64_t pc, uint64_t value) {
  (void)pc;
  (void)value;
  if (cause == CAUSE_TIMER) {
    MTIMECMP = ~0UL;
  } else if (cause == CAUSE_EXTERNAL) {
    uint32_t source = PLIC(0x200004);
    UART(1) = 0;
    PLIC(0x200004) = source;
  } else {
    guest_fail("an unexpected trap");
  }
  interrupted = 1;
}

static void say(const char *what, uint64_t value) {
  put_text(what);
  put_decimal(value);
  put_char('\n');
}

// Counts until an interrupt comes that has been asked for.
static uint64_t count_until_interrupted(uint64_t kind) {
  uint64_t count = 0;
  interrupted = 0;
  CSR_SET(mie, kind);
  CSR_SET(mstatus, MSTATUS_MIE);
  while (!interrupted) {
    count++;
  }
  CSR_CLEAR(mstatus, MSTATUS_MIE);
  CSR_CLEAR(mie, kind);
  return count;
}

static uint64_t wait_for_timer(void) {
  MTIMECMP = TIMER_DUE;
  return count_until_interrupted(MIE_MTIE);
}

static uint64_t wait_for_device(void) {
  PLIC(4 * UART_SOURCE) = 1;
  PLIC(0x2000) = 1 << UART_SOURCE;
  PLIC(0x200000) = 0;
  UART(1) = 2; // the transmitter is empty, and says so at once
  return count_until_interrupted(MIE_MEIE);
}

static uint64_t read_time(void) { return CSR_READ(time); }

static uint64_t read_cycle(void) { return CSR_READ(cycle); }

// The low half of the nanoseconds since 1970.
static uint64_t read_calendar(void) { return READ(RTC_BASE); }

// Virtio over MMIO: VIRTIO 1.2, section 4.2.2.

#define REGISTER(card, offset) READ((card) + (offset))
#define DISK 2
#define RANDOM 4
#define SIZE 4
#define NEXT 1
#define WRITABLE 2 // by the device

static volatile struct {
  struct {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
  } descriptors[SIZE];
  struct {
    uint16_t flags, index, ring[SIZE];
  } available;
  struct {
    uint16_t flags, index;
    struct {
      uint32_t head, bytes;
    } ring[SIZE];
  } used __attribute__((aligned(4)));
} queues[2] __attribute__((aligned(16)));

static uintptr_t find(uint32_t device) {
  for (uintptr_t card = 0x10001000UL; card < 0x10009000UL; card += 0x1000) {
    if (REGISTER(card, 0x08) == device) return card;
  }
  return 0;
}

static void set_address(uintptr_t card, uint32_t offset, volatile void *part) {
  REGISTER(card, offset) = (uint32_t)(uintptr_t)part;
  REGISTER(card, offset + 4) = (uint32_t)((uintptr_t)part >> 32);
}

static void start(uintptr_t card, int queue) {
  REGISTER(card, 0x70) = 1 | 2;
  REGISTER(card, 0x24) = 1; // version 1, and nothing else
  REGISTER(card, 0x20) = 1;
  REGISTER(card, 0x70) = 1 | 2 | 8;
  REGISTER(card, 0x30) = 0;
  REGISTER(card, 0x38) = SIZE;
  set_address(card, 0x80, queues[queue].descriptors);
  set_address(card, 0x90, &queues[queue].available);
  set_address(card, 0xa0, &queues[queue].used);
  REGISTER(card, 0x44) = 1;
  REGISTER(card, 0x70) = 1 | 2 | 8 | 4;
}

static void describe(int queue, int index, volatile void *buffer, uint32_t bytes, uint16_t flags) {
  queues[queue].descriptors[index].address = (uintptr_t)buffer;
  queues[queue].descriptors[index].bytes = bytes;
  queues[queue].descriptors[index].flags = flags;
  queues[queue].descriptors[index].next = index + 1;
}

static void offer(uintptr_t card, int queue) {
  queues[queue].available.ring[queues[queue].available.index % SIZE] = 0;
  __asm__ volatile("fence" ::: "memory");
  queues[queue].available.index++;
  REGISTER(card, 0x50) = 0;
}

static uint64_t draw_number(uintptr_t card) {
  static volatile uint32_t number;
  start(card, 0);
  describe(0, 0, &number, sizeof number, WRITABLE);
  offer(card, 0);
  while (queues[0].used.index == 0) {
  }
  return number; // #BP1
}

// Reads the first sector, and counts until that is done.
static uint64_t read_sector(uintptr_t card) {
  static volatile struct {
    uint32_t kind, reserved;
    uint64_t sector;
  } header;
  static volatile uint8_t data[512], status;
  uint64_t count = 0;
  start(card, 1);
  describe(1, 0, &header, sizeof header, NEXT);
  describe(1, 1, data, sizeof data, NEXT | WRITABLE);
  describe(1, 2, &status, 1, WRITABLE);
  offer(card, 1);
  while (queues[1].used.index == 0) {
    count++;
  }
  if (status != 0) guest_fail("the disk has refused");
  for (int i = 0; i < 512 && data[i] != '\n'; i++) {
    put_char((char)data[i]);
  }
  put_char('\n');
  return count;
}

// Echoes a line, and counts while nobody types.
static uint64_t read_line(void) {
  uint64_t count = 0;
  char c;
  put_text("name? ");
  do {
    while ((UART(5) & 1) == 0) {
      count++;
    }
    c = (char)UART(0);
    put_char(c);
  } while (c != '\n');
  return count;
}

// Adds up with a reservation each time, and counts how often it was lost.
static uint64_t add_up(void) {
  static uint64_t sum;
  uint64_t lost = 0;
  for (int i = 0; i < ADDITIONS; i++) {
    uint64_t failed;
    do {
      uint64_t value;
      __asm__ volatile("lr.d %0, (%2)\n\taddi %0, %0, 1\n\tsc.d %1, %0, (%2)" : "=&r"(value), "=&r"(failed) : "r"(&sum) : "memory");
      lost += failed;
    } while (failed);
  }
  if (sum != ADDITIONS) guest_fail("an addition is missing");
  return lost;
}

int main(void) {
  uintptr_t card;
  if (steps & 1) say("timer after ", wait_for_timer());
  if (steps & 2) say("device after ", wait_for_device());
  if (steps & 4) say("time ", read_time());
  if (steps & 8) say("cycle ", read_cycle());
  if (steps & 16) say("calendar ", read_calendar());
  if (steps & 32 && (card = find(RANDOM)) != 0) say("random ", draw_number(card));
  if (steps & 64 && (card = find(DISK)) != 0) say("disk after ", read_sector(card));
  if (steps & 128) say("line after ", read_line());
  if (steps & 256) say("lost reservations: ", add_up());
  return 0;
}
