// Loads and stores through page tables: a page of data stands at 0x40000000, everything else where it is.
//
// The guest stays in machine mode; `mstatus.MPRV` has only its loads and stores translated.

#include "../../../examples/runtime/guest.h"

#define WINDOW 0x40000000UL
#define ENTRIES 512
#define GIGAPAGE_BITS 30
#define VALID 0x01
#define ALL 0xcf // valid, read, write, execute, accessed, dirty
#define SV39 (8UL << 60)
#define MSTATUS_MPRV 0x20000UL
#define MSTATUS_MPP 0x1800UL
#define MSTATUS_MPP_SUPERVISOR 0x800UL
#define PMP_ALL 0x1fUL // naturally aligned, read, write, execute
#define ROUNDS 8

static uint64_t root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t middle[ENTRIES] __attribute__((aligned(4096)));
static uint64_t leaves[ENTRIES] __attribute__((aligned(4096)));
static uint64_t page[ENTRIES] __attribute__((aligned(4096)));

static uint64_t entry(const void *target, uint64_t flags) {
  return (uintptr_t)target >> 12 << 10 | flags;
}

static void translate(void) {
  root[0] = entry((void *)0, ALL);
  root[2] = entry((void *)(2UL << GIGAPAGE_BITS), ALL);
  root[1] = entry(middle, VALID);
  middle[0] = entry(leaves, VALID);
  leaves[0] = entry(page, ALL);
  __asm__ volatile("csrw pmpaddr0, %0\n\tcsrw pmpcfg0, %1" : : "r"(~0UL >> 10), "r"(PMP_ALL));
  uint64_t satp = SV39 | (uintptr_t)root >> 12;
  __asm__ volatile("csrw satp, %0\n\tsfence.vma" : : "r"(satp) : "memory");
  CSR_CLEAR(mstatus, MSTATUS_MPP);
  CSR_SET(mstatus, MSTATUS_MPP_SUPERVISOR);
  CSR_SET(mstatus, MSTATUS_MPRV);
}

__attribute__((noinline)) static void add_up(volatile uint64_t *window, uint64_t round) {
  for (int i = 0; i < 16; i++) {
    window[i] += round + i;
  }
}

int main(void) {
  for (int i = 0; i < 16; i++) {
    page[i] = 100 * i;
  }
  translate();
  volatile uint64_t *window = (volatile uint64_t *)WINDOW;
  for (uint64_t round = 0; round < ROUNDS; round++) {
    add_up(window, round);
    put_decimal(window[round]);
    put_char('\n');
  }
  return 0;
}
