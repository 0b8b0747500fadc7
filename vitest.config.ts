import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build-first.ts'],
    reporters: ['default', './test/closing-line-reporter.ts'],
    // Much of a test of the command line is waiting for its program: one worker less than there are cores is too few.
    maxWorkers: '100%',
    testTimeout: 120_000,
    // What the program keeps for its user is none of the tests' business.
    env: {
      TELLTALE_CACHE_DIR: fileURLToPath(new URL('node_modules/.cache/telltale', import.meta.url)),
      XDG_STATE_HOME: fileURLToPath(new URL('node_modules/.cache/state', import.meta.url)),
    },
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'json-summary'] },
  },
});
