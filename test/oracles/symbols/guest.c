// A guest whose only purpose is to hold what debug information can describe.
#include "inline.h"

enum color { RED, GREEN = 5, BLUE, NEGATIVE = -2 };

typedef struct node node_t;
struct node {
  int key;
  unsigned flag : 3;
  int sign : 5;
  node_t *next;
  char name[8];
  double weight;
  union {
    float real;
    uint32_t raw;
  };
};

struct pair {
  long left;
  int right;
};

struct point {
  double x, y;
};

node_t nodes[4] = {
    {1, 2, -3, &nodes[1], "one", 1.5, {2.5f}},
    {5, 7, 15, &nodes[2], "five", -0.25, {-1.0f}},
    {3, 0, -16, &nodes[3], "three\n", 1e10, {0.1f}},
    {2, 1, 0, 0, "two", 0.0, {0}},
};
enum color shade = GREEN;
uint32_t table[16];
short grid[3][4] = {{1, 2, 3, 4}, {-1, -2, -3, -4}, {10, 20, 30, 40}};
int (*callback)(int);
const char *greeting = "hello";
uint8_t byte = 200;
_Bool truth = 1;
int big[1000];
volatile struct pair samples[3];
static volatile uint32_t sink;

__attribute__((noinline)) static int factorial(int n) {
  if (n <= 1) return 1;
  return n * factorial(n - 1);
}

__attribute__((noinline)) static long spread(struct pair pair, struct point point, enum color color) {
  long total = pair.left + pair.right;
  static int calls;
  calls++;
  total += (long)(point.x * point.y);
  if (color == GREEN) {
    int total = pair.right * 2; // shadows the outer one
    sink += (uint32_t)total;
  }
  return total + calls;
}

__attribute__((noinline)) static int sum_of_squares(int count) {
  int squares[count];
  int sum = 0;
  for (int i = 0; i < count; i++) squares[i] = i * i;
  for (int i = 0; i < count; i++) sum += squares[i];
  return sum;
}

__attribute__((noinline)) static int work(node_t *list, int count, double scale) {
  int total = 0;
  for (int i = 0; i < count; i++) {
    uint32_t mixed = mix((uint32_t)list[i].key, (uint32_t)i);
    table[i] = mixed;
    total += factorial(list[i].key) + (int)(scale * list[i].weight);
    if (mixed & 1) {
      int inner = total * 2;
      sink += (uint32_t)inner;
    }
  }
  return total;
}

__attribute__((noinline)) static int last(int value) {
  sink = (uint32_t)value;
  return value + 1;
}

__attribute__((noinline)) static int tail(int value) { return last(value * 3); }

int main(void) {
  for (int round = 0;; round++) {
    struct pair pair = {round, -7};
    struct point point = {1.5 * round, 2.0};
    int result = work(nodes, 4, 2.0);
    callback = round & 1 ? factorial : tail;
    result += callback(round & 3);
    result += (int)spread(pair, point, round & 2 ? GREEN : BLUE);
    result += sum_of_squares(3 + (round & 1));
    big[round % 1000] = result;
  }
}
