// Integer work of mixed kind: a linked list, matrices, a state machine over
// text, and a checksum over everything, in the proportions of embedded code.

#include "../../../examples/runtime/guest.h"

#define PASSES 160000
#define NODES 60
#define SIZE 10
#define TEXT_BYTES 400

struct node {
  struct node *next;
  int16_t value;
  int16_t index;
};

static struct node nodes[NODES];
static int16_t left[SIZE][SIZE], right[SIZE][SIZE];
static int32_t product[SIZE][SIZE];
static char text[TEXT_BYTES];

static uint16_t mix(uint16_t sum, uint32_t value) {
  for (int i = 0; i < 16; i++) {
    uint32_t carry = (sum ^ value) & 1;
    sum = (uint16_t)(sum >> 1);
    if (carry != 0) {
      sum ^= 0xa001;
    }
    value >>= 1;
  }
  return sum;
}

static uint16_t list_work(uint32_t seed) {
  struct node *first = NULL;
  for (int i = 0; i < NODES; i++) {
    nodes[i].value = (int16_t)((seed * 37 + (uint32_t)i * 101) & 0x7ff);
    nodes[i].index = (int16_t)i;
    struct node **place = &first;
    while (*place != NULL && (*place)->value < nodes[i].value) {
      place = &(*place)->next;
    }
    nodes[i].next = *place;
    *place = &nodes[i];
  }
  struct node *reversed = NULL;
  while (first != NULL) {
    struct node *next = first->next;
    first->next = reversed;
    reversed = first;
    first = next;
  }
  uint16_t sum = 0;
  for (struct node *node = reversed; node != NULL; node = node->next) {
    sum = (uint16_t)(sum * 3 + node->value - node->index);
  }
  return sum;
}

static uint16_t matrix_work(int seed) {
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) {
      left[i][j] = (int16_t)(seed + i * j);
      right[i][j] = (int16_t)(seed - i + j);
    }
  }
  int32_t total = 0;
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) {
      int32_t cell = 0;
      for (int k = 0; k < SIZE; k++) {
        cell += left[i][k] * right[k][j];
      }
      product[i][j] = cell;
      total += cell > 100 ? cell >> 2 & 0xff : cell & 0x3f;
    }
  }
  return (uint16_t)total;
}

enum state { START, NUMBER, FRACTION, WORD, BLANK, STATES };

static uint16_t text_work(uint32_t seed) {
  static const char alphabet[] = "0123456789.+-eE abcxyz,;";
  uint32_t visits[STATES] = {0};
  for (int i = 0; i < TEXT_BYTES; i++) {
    seed = seed * 1103515245u + 12345;
    text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
  }
  enum state state = START;
  for (int i = 0; i < TEXT_BYTES; i++) {
    char c = text[i];
    int digit = c >= '0' && c <= '9';
    switch (state) {
    case START:
    case BLANK:
      state = digit ? NUMBER : c == ' ' || c == ',' || c == ';' ? BLANK : WORD;
      break;
    case NUMBER:
      state = digit ? NUMBER : c == '.' ? FRACTION : c == ' ' ? BLANK : WORD;
      break;
    case FRACTION:
      state = digit || c == 'e' ? FRACTION : BLANK;
      break;
    default:
      state = c == ' ' || c == ',' ? BLANK : WORD;
    }
    visits[state]++;
  }
  return (uint16_t)(visits[NUMBER] * 5 + visits[FRACTION] * 7 + visits[WORD] * 11 + visits[BLANK]);
}

int main(void) {
  uint16_t sum = 0;
  for (uint32_t pass = 0; pass < PASSES; pass++) {
    sum = mix(sum, list_work(pass));
    sum = mix(sum, matrix_work((int)(pass & 31)));
    sum = mix(sum, text_work(pass));
  }
  put_text("integer ");
  put_hex32(sum);
  put_char('\n');
  return 0;
}
