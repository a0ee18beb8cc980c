#pragma once
#include <stdint.h>

static inline __attribute__((always_inline)) uint32_t rotate(uint32_t value, unsigned by) {
  uint32_t high = value << by;
  return high | (value >> (32 - by));
}

static inline __attribute__((always_inline)) uint32_t mix(uint32_t a, uint32_t b) {
  uint32_t c = a * 31u;
  c ^= rotate(b, 5);
  return c + (a ^ b);
}
