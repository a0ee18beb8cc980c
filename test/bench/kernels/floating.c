// Floating point: bodies that attract each other (square roots, divisions) and
// the escape times of the Mandelbrot set (multiplications, comparisons).

#include "../../../examples/runtime/guest.h"

#define BODIES 5
#define STEPS 1000000
#define EDGE 256
#define ITERATIONS 1000

struct body {
  double x, y, z, vx, vy, vz, mass;
};

static struct body bodies[BODIES];

static void set_up(void) {
  for (int i = 0; i < BODIES; i++) {
    double d = i + 1;
    bodies[i] = (struct body){d * 1.5, 2.0 / d, d * 0.25 - 1, 0.1 * d, 0.05 * (3 - d), 0.01, 1.0 / (d * d)};
  }
}

static double square_root(double value) {
  double root;
  __asm__("fsqrt.d %0, %1" : "=f"(root) : "f"(value));
  return root;
}

static void step(double dt) {
  for (int i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    for (int j = i + 1; j < BODIES; j++) {
      struct body *b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      double square = dx * dx + dy * dy + dz * dz + 0.01;
      double pull = dt / (square * square_root(square));
      a->vx -= dx * b->mass * pull;
      a->vy -= dy * b->mass * pull;
      a->vz -= dz * b->mass * pull;
      b->vx += dx * a->mass * pull;
      b->vy += dy * a->mass * pull;
      b->vz += dz * a->mass * pull;
    }
  }
  for (int i = 0; i < BODIES; i++) {
    struct body *body = &bodies[i];
    body->x += dt * body->vx;
    body->y += dt * body->vy;
    body->z += dt * body->vz;
  }
}

static uint32_t mandelbrot(void) {
  uint32_t total = 0;
  for (int row = 0; row < EDGE; row++) {
    for (int column = 0; column < EDGE; column++) {
      double cx = column * (3.0 / EDGE) - 2.0, cy = row * (2.0 / EDGE) - 1.0;
      double x = 0, y = 0;
      int n = 0;
      while (n < ITERATIONS && x * x + y * y < 4.0) {
        double next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
        n++;
      }
      total += (uint32_t)n;
    }
  }
  return total;
}

int main(void) {
  set_up();
  for (int i = 0; i < STEPS; i++) {
    step(0.001);
  }
  double sum = 0;
  for (int i = 0; i < BODIES; i++) {
    sum += bodies[i].x + bodies[i].vy;
  }
  put_text("floating ");
  put_hex32((uint32_t)(int64_t)(sum * 1000000));
  put_char(' ');
  put_hex32(mandelbrot());
  put_char('\n');
  return 0;
}
