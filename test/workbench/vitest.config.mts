import { defineConfig } from 'vitest/config';

// One real workbench, driven step by step: the tests of a file share it and run in order.
export default defineConfig({
  test: {
    name: 'workbench',
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 600_000,
  },
});
