// Prints the CRC-32 of one small block after the other, and exits with 3: what the scenarios of test/conformance strike.
// It is over after some ten thousand instructions, so that many scenarios take little time.

#include "../../../examples/runtime/guest.h"

#define POLYNOMIAL 0xedb88320u
#define BLOCK_BYTES 64
#define ROUNDS 8
#define EXIT_CODE 3

static uint32_t table[256];
static uint8_t block[BLOCK_BYTES];
static uint32_t sums[ROUNDS];
static struct {
  uint32_t rounds;
  int16_t steps[4];
} record;

static void fill_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) {
      crc = (crc & 1) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    }
    table[byte] = crc;
  }
}

__attribute__((noinline)) static uint32_t update(uint32_t crc, const uint8_t *data, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint8_t index = (uint8_t)(crc ^ data[i]);
    crc = crc >> 8 ^ table[index];
  }
  return crc;
}

__attribute__((noinline)) static void fill_block(uint32_t round) {
  uint32_t state = 0x9e3779b9u * (round + 1);
  for (size_t i = 0; i < BLOCK_BYTES; i++) {
    state = state * 1664525u + 1013904223u;
    block[i] = (uint8_t)(state >> 24);
  }
}

int main(void) {
  fill_table();
  put_text("sums\n");
  for (uint32_t round = 0; round < ROUNDS; round++) {
    fill_block(round);
    sums[round] = ~update(~0u, block, BLOCK_BYTES);
    record.rounds++;
    record.steps[round % 4]++;
    put_hex32(sums[round]);
    put_char('\n');
  }
  put_text("crc=");
  put_hex32(~update(~0u, (const uint8_t *)sums, sizeof sums));
  put_char('\n');
  return EXIT_CODE;
}
