// What the examples share: a console, an end, traps, and the board's addresses.
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

#define UART_BASE 0x10000000UL  // 16550A
#define CLINT_BASE 0x02000000UL // core-local interruptor: timer
#define SYSCON_BASE 0x00100000UL // power-off

#define CSR_READ(name)                                      \
  ({                                                        \
    uint64_t value_;                                        \
    __asm__ volatile("csrr %0, " #name : "=r"(value_));     \
    value_;                                                 \
  })
#define CSR_SET(name, bits) __asm__ volatile("csrs " #name ", %0" : : "r"((uint64_t)(bits)) : "memory")
#define CSR_CLEAR(name, bits) __asm__ volatile("csrc " #name ", %0" : : "r"((uint64_t)(bits)) : "memory")

// The console.
void put_char(char c);
void put_text(const char *text);
void put_decimal(uint64_t value);
void put_hex32(uint32_t value); // always eight digits

// Powers the board off; `code` becomes the guest's exit code.
_Noreturn void guest_exit(int code);

// Prints `what` and ends the guest with exit code 1.
_Noreturn void guest_fail(const char *what);

// Called for every trap. The runtime's own prints the trap and ends the guest;
// a guest that expects traps defines another.
void trap_handler(uint64_t cause, uint64_t pc, uint64_t value);

#endif
