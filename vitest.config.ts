import { defineConfig } from 'vitest/config';
import { SUITES } from './scripts/suites.ts';

export default defineConfig({
  test: {
    // A process for each file: real time, real sockets, and memory that can be measured.
    pool: 'forks',
    globals: false,
    projects: SUITES.map((suite) => ({
      test: {
        name: suite.name,
        include: [...suite.include],
        pool: 'forks',
        testTimeout: suite.timeoutMs,
        // Servers are started and stopped in hooks.
        hookTimeout: 60_000,
        maxWorkers: suite.workers,
      },
    })),
  },
});
