// Pointer chasing: one cycle through two megabytes in an order that no
// prefetcher guesses, and look-ups in a hash table with chains.

#include "../../../examples/runtime/guest.h"

#define LINKS (256 * 1024) // 8 bytes each
#define ROUNDS 300
#define BUCKETS 4096
#define ENTRIES 12000
#define LOOKUPS 15000000

struct entry {
  struct entry *next;
  uint32_t key;
  uint32_t value;
};

static void *links[LINKS];
static struct entry entries[ENTRIES];
static struct entry *buckets[BUCKETS];

static uint32_t random_state = 1;

static uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

// Sattolo's shuffle: the permutation is a single cycle.
static void make_cycle(void) {
  static uint32_t order[LINKS];
  for (uint32_t i = 0; i < LINKS; i++) {
    order[i] = i;
  }
  for (uint32_t i = LINKS - 1; i > 0; i--) {
    uint32_t j = next_random() % i;
    uint32_t other = order[i];
    order[i] = order[j];
    order[j] = other;
  }
  for (uint32_t i = 0; i < LINKS; i++) {
    links[i] = &links[order[i]];
  }
}

static uint32_t hash(uint32_t key) { return (key * 2654435761u) >> 20; }

static struct entry *find(uint32_t key) {
  struct entry *entry = buckets[hash(key)];
  while (entry != NULL && entry->key != key) {
    entry = entry->next;
  }
  return entry;
}

int main(void) {
  make_cycle();
  void **at = links;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < LINKS; i++) {
      at = *at;
    }
  }
  if (at != links) {
    guest_fail("the cycle does not close");
  }

  for (uint32_t i = 0; i < ENTRIES; i++) {
    struct entry *entry = &entries[i];
    entry->key = i * 7;
    entry->value = i;
    entry->next = buckets[hash(entry->key)];
    buckets[hash(entry->key)] = entry;
  }
  uint32_t found = 0;
  for (uint32_t i = 0; i < LOOKUPS; i++) {
    struct entry *entry = find(next_random() % (ENTRIES * 7));
    if (entry != NULL) {
      found += entry->value & 1;
    }
  }
  put_text("pointers ");
  put_hex32(found);
  put_char('\n');
  return 0;
}
