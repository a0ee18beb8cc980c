// Counts timer interrupts, reads the clock and prints what it says.
//
// Nothing here is wrong, and yet two runs need not agree: the time a guest
// reads, and the instruction at which an interrupt strikes, are inputs. Replicas
// stay together only if somebody gives all of them the same.

#include "../runtime/guest.h"

#define TICKS 6
#define TICK_TIME 4000 // in units of the timer, 100 ns each

#define MSTATUS_MIE 0x8
#define MIE_MTIE 0x80
#define CAUSE_TIMER 0x8000000000000007UL

static volatile uint64_t *const mtimecmp = (volatile uint64_t *)(CLINT_BASE + 0x4000);

static volatile int ticks;          // timer interrupts so far
static volatile uint64_t tick_time; // the clock in the newest of them
static uint64_t deadline;           // when the next one is due

void trap_handler(uint64_t cause, uint64_t pc, uint64_t value) {
  if (cause != CAUSE_TIMER) {
    put_text("unexpected trap: cause ");
    put_decimal(cause);
    put_text(", pc ");
    put_decimal(pc);
    put_text(", value ");
    put_decimal(value);
    put_char('\n');
    guest_exit(1);
  }
  tick_time = CSR_READ(time); // #BP1
  if (tick_time < deadline) {
    guest_fail("an interrupt came before its time");
  }
  ticks++;
  deadline = tick_time + TICK_TIME;
  *mtimecmp = deadline;
}

// Something to be interrupted in: steps of the Collatz sequence from `n` to 1.
static uint64_t collatz_steps(uint64_t n) {
  uint64_t steps = 0;
  while (n != 1) {
    n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    steps++;
  }
  return steps;
}

// Works until the next tick and says how far it came.
static uint64_t work_until_tick(void) {
  int before = ticks;
  uint64_t steps = 0;
  for (uint64_t n = 1; ticks == before; n++) {
    steps += collatz_steps(n); // #BP2
  }
  return steps;
}

// Sleeps until the next tick.
static void sleep_until_tick(void) {
  int before = ticks;
  for (;;) {
    CSR_CLEAR(mstatus, MSTATUS_MIE); // or a tick could come between the look and the sleep
    if (ticks != before) {
      break;
    }
    __asm__ volatile("wfi"); // wakes up even though interrupts are off
    CSR_SET(mstatus, MSTATUS_MIE);
  }
  CSR_SET(mstatus, MSTATUS_MIE);
}

int main(void) {
  uint64_t start_time = CSR_READ(time);
  uint64_t start_cycle = CSR_READ(cycle);
  put_text("ticker: ");
  put_decimal(TICKS);
  put_text(" ticks from time ");
  put_decimal(start_time);
  put_char('\n');

  deadline = start_time + TICK_TIME;
  *mtimecmp = deadline;
  CSR_SET(mie, MIE_MTIE);
  CSR_SET(mstatus, MSTATUS_MIE);

  while (ticks < TICKS) {
    uint64_t steps = 0;
    if (ticks % 2 == 0) {
      steps = work_until_tick();
    } else {
      sleep_until_tick();
    }
    put_text("tick ");
    put_decimal((uint64_t)ticks);
    put_text(" time=");
    put_decimal(tick_time); // #BP3
    put_text(" steps=");
    put_decimal(steps);
    put_char('\n');
  }
  CSR_CLEAR(mstatus, MSTATUS_MIE);

  put_text("cycles=");
  put_decimal(CSR_READ(cycle) - start_cycle);
  put_text(" ticks=");
  put_decimal((uint64_t)ticks);
  put_char('\n');
  return 0;
}
