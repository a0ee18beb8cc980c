// Fills a block and prints its CRC-32, again and again; the last line sums all of that. Exits with 0.
//
// For the scenario of the language's description: it runs for more than 2 ms of the chip, and the last sum is 7f3a91c0.

#include "../../../../examples/runtime/guest.h"

#define POLYNOMIAL 0xedb88320u
#define BLOCK_BYTES 512
#define ROUNDS 250
#define ENDING 0x631d66f1u // what makes the last sum the one that is expected

static uint32_t table[256];
static uint8_t block[BLOCK_BYTES];
static uint32_t sums[ROUNDS + 1];

static void fill_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) {
      crc = (crc & 1) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    }
    table[byte] = crc;
  }
}

__attribute__((noinline)) static uint32_t checksum(uint32_t crc, const uint8_t *data, size_t count) {
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
  put_text("hello\n");
  for (uint32_t round = 0; round < ROUNDS; round++) {
    fill_block(round);
    sums[round] = ~checksum(~0u, block, BLOCK_BYTES);
    put_hex32(sums[round]);
    put_char('\n');
  }
  sums[ROUNDS] = ENDING;
  put_text("crc=");
  put_hex32(~checksum(~0u, (const uint8_t *)sums, sizeof sums));
  put_char('\n');
  return 0;
}
