// Ends at once: what it takes a process is the price of starting the emulator.

#include "../../../examples/runtime/guest.h"

int main(void) { return 0; }
