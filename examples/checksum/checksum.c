// Sums a block of data, again and again, with CRC-32.
//
// Each round changes the block and prints its sum; the last line sums the
// sums. One wrong bit anywhere and a printed digit is wrong: a good place to
// see what a fault does, and what it takes to notice.

#include "../runtime/guest.h"

#define POLYNOMIAL 0xedb88320u // CRC-32 (IEEE 802.3), bits reversed
#define BLOCK_BYTES 6144
#define ROUNDS 16

static uint32_t table[256];         // table[b]: what the byte b does to a sum
static uint8_t block[BLOCK_BYTES];  // what is summed
static uint32_t sums[ROUNDS];       // the sum of each round

// One byte the slow way, a bit at a time.
static uint32_t crc32_byte(uint32_t crc) {
  for (int bit = 0; bit < 8; bit++) {
    crc = (crc & 1) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
  }
  return crc;
}

static void fill_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    table[byte] = crc32_byte(byte); // #BP1
  }
}

// Takes `count` bytes into a sum with the table, a byte at a time.
__attribute__((noinline)) static uint32_t crc32_update(uint32_t crc, const uint8_t *data, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint8_t index = (uint8_t)(crc ^ data[i]);
    crc = crc >> 8 ^ table[index]; // #BP2
  }
  return crc;
}

// The same sum without the table.
static uint32_t crc32_slowly(uint32_t crc, const uint8_t *data, size_t count) {
  for (size_t i = 0; i < count; i++) {
    crc = crc32_byte((crc ^ data[i]) & 0xff) ^ crc >> 8;
  }
  return crc;
}

static uint32_t checksum(const void *data, size_t count) {
  return ~crc32_update(~0u, data, count);
}

// A new block every round, from a small generator (xorshift): no two alike.
static void fill_block(uint32_t round) {
  uint32_t state = 0x9e3779b9u * (round + 1);
  for (size_t i = 0; i < BLOCK_BYTES; i += 4) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    for (size_t byte = 0; byte < 4; byte++) {
      block[i + byte] = (uint8_t)(state >> 8 * byte);
    }
  }
}

static void print_round(uint32_t round, uint32_t sum) {
  put_decimal(round);
  put_text(": ");
  put_hex32(sum);
  put_char('\n');
}

int main(void) {
  fill_table();
  if (checksum("123456789", 9) != 0xcbf43926u) { // the value every CRC-32 must give
    guest_fail("the table is wrong");
  }

  for (uint32_t round = 0; round < ROUNDS; round++) {
    fill_block(round);
    sums[round] = checksum(block, BLOCK_BYTES); // #BP3
    print_round(round, sums[round]);
  }

  uint32_t crc = checksum(sums, sizeof sums);
  if (crc != ~crc32_slowly(~0u, (const uint8_t *)sums, sizeof sums)) {
    guest_fail("the sum of the sums is wrong");
  }
  put_text("crc="); // #BP4
  put_hex32(crc);
  put_char('\n');
  return 0;
}
