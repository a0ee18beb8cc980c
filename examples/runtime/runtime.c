#include "guest.h"

void put_char(char c) {
  volatile uint8_t *uart = (volatile uint8_t *)UART_BASE;
  while ((uart[5] & 0x20) == 0) { // line status: transmitter empty
  }
  uart[0] = (uint8_t)c;
}

void put_text(const char *text) {
  while (*text != '\0') {
    put_char(*text++);
  }
}

void put_decimal(uint64_t value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) {
    put_char(digits[--count]);
  }
}

static void put_hex(uint64_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    put_char("0123456789abcdef"[(value >> shift) & 0xf]);
  }
}

void put_hex32(uint32_t value) { put_hex(value, 8); }

_Noreturn void guest_exit(int code) {
  volatile uint32_t *syscon = (volatile uint32_t *)SYSCON_BASE;
  *syscon = code == 0 ? 0x5555 : 0x3333 | (uint32_t)code << 16;
  for (;;) {
  }
}

_Noreturn void guest_fail(const char *what) {
  put_text("FAILED: ");
  put_text(what);
  put_char('\n');
  guest_exit(1);
}

__attribute__((weak)) void trap_handler(uint64_t cause, uint64_t pc, uint64_t value) {
  put_text("unexpected trap: cause ");
  put_decimal(cause);
  put_text(", pc ");
  put_hex(pc, 16);
  put_text(", value ");
  put_hex(value, 16);
  put_char('\n');
  guest_exit(1);
}

// The compiler may call these two by itself.

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  uint8_t *t = to;
  const uint8_t *f = from;
  while (count-- > 0) {
    *t++ = *f++;
  }
  return to;
}

void *memset(void *to, int byte, size_t count) {
  uint8_t *t = to;
  while (count-- > 0) {
    *t++ = (uint8_t)byte;
  }
  return to;
}
