import path from 'node:path';
import { defineConfig } from 'vitest/config';

// Three projects: `unit` stands beside the code and is quick; `system` crosses
// folders (end to end, DAP goldens, oracles); `workbench` drives a real VS Code.
// One after the other, so that none starves another of processors. Time-outs only
// end what hangs: they are far above what a busy machine needs.
export default defineConfig({
  test: {
    setupFiles: [path.join(import.meta.dirname, 'test/properties/seed.ts')],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['engine/**/*.test.ts', 'server/**/*.test.ts', 'client/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: ['test/workbench/**'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
      { extends: './test/workbench/vitest.config.mts', test: { sequence: { groupOrder: 2 } } },
    ],
  },
});
