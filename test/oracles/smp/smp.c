// Harts that work on the same memory: a spinlock of LR and SC, counters of
// AMOs, a ring of interrupts from hart to hart with everyone asleep in wfi, and
// code that one hart writes and all execute. What is printed depends on the
// number of harts and on nothing else, least of all on who came first.

#include "../../../examples/runtime/guest.h"

#define MOST_HARTS 4
#define TURNS 2000
#define LAPS 50
#define PATCHES 20

extern volatile uint64_t calls[MOST_HARTS];
extern uint64_t patched(void);

static volatile uint32_t *const software_interrupt = (uint32_t *)CLINT_BASE;

static uint64_t arrived;
static uint32_t lock;
static volatile uint64_t guarded;
static uint64_t added, mixed, greatest, patched_sum;
static uint64_t conditional;
static volatile uint64_t token;
static volatile uint64_t harts;
static volatile uint64_t own[MOST_HARTS];

static void acquire(void) {
  uint32_t old, failed;
  do {
    __asm__ volatile("lr.w.aq %0, (%2)\n"
                     "bnez %0, 1f\n"
                     "sc.w.rl %1, %3, (%2)\n"
                     "1:"
                     : "=&r"(old), "=&r"(failed)
                     : "r"(&lock), "r"(1)
                     : "memory");
  } while (old != 0 || failed != 0);
}

static void release(void) { __atomic_store_n(&lock, 0, __ATOMIC_RELEASE); }

static void add_conditionally(uint64_t *to, uint64_t value) {
  uint64_t old, failed;
  do {
    __asm__ volatile("lr.d %0, (%2)\n"
                     "add %0, %0, %3\n"
                     "sc.d %1, %0, (%2)"
                     : "=&r"(old), "=&r"(failed)
                     : "r"(to), "r"(value)
                     : "memory");
  } while (failed != 0);
}

static void barrier(uint64_t number) {
  __atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < number * harts) {
  }
}

// A board has as many software interrupts as harts; others read as zero.
static uint64_t count_harts(void) {
  uint64_t count = 1;
  while (count < MOST_HARTS) {
    software_interrupt[count] = 1;
    if (software_interrupt[count] == 0) break;
    software_interrupt[count] = 0;
    count++;
  }
  return count;
}

static void count_together(uint64_t hart) {
  for (uint64_t i = 0; i < TURNS; i++) {
    acquire();
    guarded = guarded + 1;
    own[hart] = own[hart] + guarded % 2;
    release();
    __atomic_fetch_add(&added, i * (hart + 1), __ATOMIC_RELAXED);
    __atomic_fetch_xor(&mixed, (i + 1) << (8 * hart), __ATOMIC_RELAXED);
    uint64_t mine = i * 10 + hart, old;
    __asm__ volatile("amomaxu.d %0, %1, (%2)" : "=r"(old) : "r"(mine), "r"(&greatest) : "memory");
    add_conditionally(&conditional, 3);
  }
}

// Each hart sleeps until the one before it wakes it up; the token says whose turn it is.
static void send_round(uint64_t hart) {
  CSR_SET(mie, 1 << 3);
  for (uint64_t lap = 0; lap < LAPS; lap++) {
    uint64_t before = lap;
    if (hart != 0 || lap != 0) {
      if (hart == 0) before = lap - 1;
      // With interrupts off a wfi still wakes up, so that none is lost between the look and the sleep.
      CSR_CLEAR(mstatus, 1 << 3);
      while (calls[hart] == before) {
        __asm__ volatile("wfi");
        CSR_SET(mstatus, 1 << 3);
        CSR_CLEAR(mstatus, 1 << 3);
      }
    }
    token = token + 1;
    software_interrupt[(hart + 1) % harts] = 1;
  }
  if (hart == 0) {
    while (calls[0] < LAPS) {
      __asm__ volatile("wfi");
      CSR_SET(mstatus, 1 << 3);
      CSR_CLEAR(mstatus, 1 << 3);
    }
  }
}

static void run_patched(uint64_t hart) {
  for (uint64_t i = 1; i <= PATCHES; i++) {
    // li a0, i
    if (hart == 0) *(volatile uint32_t *)patched = (uint32_t)(i << 20) | 0x513;
    barrier(2 + 2 * i);
    __asm__ volatile("fence.i" : : : "memory");
    __atomic_fetch_add(&patched_sum, patched(), __ATOMIC_RELAXED);
    barrier(3 + 2 * i);
  }
}

static void say(const char *what, uint64_t value) {
  put_text(what);
  put_decimal(value);
  put_char('\n');
}

void hart_main(uint64_t hart) {
  if (hart == 0) {
    uint64_t count = count_harts();
    __atomic_store_n(&harts, count, __ATOMIC_RELEASE);
  }
  while (__atomic_load_n(&harts, __ATOMIC_ACQUIRE) == 0) {
  }
  barrier(1);
  count_together(hart);
  barrier(2);
  send_round(hart);
  barrier(3);
  run_patched(hart);
  if (hart != 0) {
    CSR_CLEAR(mie, 1 << 3);
    for (;;) __asm__ volatile("wfi");
  }
  say("harts ", harts);
  say("guarded ", guarded);
  say("odd ", own[0] + own[1] + own[2] + own[3]);
  say("added ", added);
  say("mixed ", mixed);
  say("greatest ", greatest);
  say("conditional ", conditional);
  say("token ", token);
  say("interrupts ", calls[0] + calls[1] + calls[2] + calls[3]);
  say("patched ", patched_sum);
  guest_exit(0);
}
