// Sorts a heap of records twice: by key (merge sort of a linked list), then by
// name (quicksort of an array of pointers). Full of pointers and recursion, so
// a flipped bit may also send the guest astray: a trap or a loop without end.

#include "../runtime/guest.h"

#define RECORDS 2500
#define NAME_BYTES 12
#define HEAP_BYTES (96 * 1024)
#define PRINT_EVERY 500

struct record {
  uint32_t key;
  char name[NAME_BYTES];
  struct record *next;
};

static uint8_t heap[HEAP_BYTES] __attribute__((aligned(16)));
static size_t heap_used;
static struct record *by_name[RECORDS];

static void *heap_take(size_t bytes) {
  size_t start = heap_used;
  heap_used = (start + bytes + 15) & ~(size_t)15;
  if (heap_used > HEAP_BYTES) {
    guest_fail("the heap is full");
  }
  return heap + start;
}

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

// A name that can be spoken: consonant, vowel, consonant, vowel, …
static void invent_name(char *name, uint32_t *seed) {
  int letters = 4 + (int)(next_random(seed) % (NAME_BYTES - 5));
  for (int i = 0; i < letters; i++) {
    name[i] = i % 2 == 0 ? "bdfgklmnprstvz"[next_random(seed) % 14] : "aeiou"[next_random(seed) % 5];
  }
  name[letters] = '\0';
}

static struct record *make_records(int count) {
  uint32_t seed = 2026;
  struct record *first = NULL;
  for (int i = 0; i < count; i++) {
    struct record *record = heap_take(sizeof *record);
    record->key = next_random(&seed) % 100000;
    invent_name(record->name, &seed);
    record->next = first; // #BP1
    first = record;
  }
  return first;
}

static struct record *merge(struct record *left, struct record *right) {
  struct record *first = NULL;
  struct record **end = &first;
  while (left != NULL && right != NULL) {
    struct record **smaller = left->key <= right->key ? &left : &right;
    *end = *smaller; // #BP2
    end = &(*smaller)->next;
    *smaller = *end;
  }
  *end = left != NULL ? left : right;
  return first;
}

// Sorts by key a list of `count` records; records with equal keys keep their order.
static struct record *merge_sort(struct record *list, int count) {
  if (count == 1) {
    return list;
  }
  struct record *middle = list;
  for (int i = 1; i < count / 2; i++) {
    middle = middle->next;
  }
  struct record *right = middle->next;
  middle->next = NULL;
  return merge(merge_sort(list, count / 2), merge_sort(right, count - count / 2));
}

static int compare_names(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return (uint8_t)*a - (uint8_t)*b;
}

static void quick_sort(struct record **records, int from, int to) {
  if (from >= to) {
    return;
  }
  const char *pivot = records[(from + to) / 2]->name;
  int low = from;
  int high = to;
  while (low <= high) {
    while (compare_names(records[low]->name, pivot) < 0) {
      low++;
    }
    while (compare_names(records[high]->name, pivot) > 0) {
      high--;
    }
    if (low <= high) {
      struct record *other = records[low];
      records[low++] = records[high]; // #BP3
      records[high--] = other;
    }
  }
  quick_sort(records, from, high);
  quick_sort(records, low, to);
}

static void print_record(const struct record *record) {
  put_text("  ");
  put_decimal(record->key);
  put_char(' ');
  put_text(record->name);
  put_char('\n');
}

int main(void) {
  struct record *list = merge_sort(make_records(RECORDS), RECORDS);

  put_text("by key:\n");
  int count = 0;
  for (struct record *record = list; record != NULL; record = record->next) {
    if (record->next != NULL && record->key > record->next->key) {
      guest_fail("the list is not in order");
    }
    if (count % PRINT_EVERY == 0) {
      print_record(record);
    }
    if (count < RECORDS) {
      by_name[count] = record;
    }
    count++;
  }
  if (count != RECORDS) {
    guest_fail("records were lost");
  }

  quick_sort(by_name, 0, RECORDS - 1);
  put_text("by name:\n");
  uint32_t mix = 0;
  for (int i = 0; i < RECORDS; i++) {
    if (i > 0 && compare_names(by_name[i - 1]->name, by_name[i]->name) > 0) {
      guest_fail("the names are not in order");
    }
    if (i % PRINT_EVERY == 0) {
      print_record(by_name[i]);
    }
    mix = mix * 31 + by_name[i]->key;
  }
  put_text("mix="); // #BP4
  put_hex32(mix);
  put_char('\n');
  return 0;
}
