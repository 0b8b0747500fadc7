import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build-first.ts'],
    reporters: ['default', './test/closing-line-reporter.ts'],
    // Much of a test of the command line is waiting for its program: one worker less than there are cores is too few.
    maxWorkers: '100%',
    testTimeout: 120_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'json-summary'] },
  },
});
