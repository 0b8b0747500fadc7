import type { TestModule } from 'vitest/node';
import type { Reporter } from 'vitest/reporters';

/** Ends a run with one plain line that other programs can read: `N passed, N failed, N skipped`. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed += 1;
        else if (state === 'failed') counts.failed += 1;
        else counts.skipped += 1;
      }
      // A file that did not even load has failed, though no test of it ran.
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed += 1;
    }
    if (counts.failed === 0 && errors.length > 0) counts.failed = errors.length;
    process.on('exit', () => {
      process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    });
  }
}
