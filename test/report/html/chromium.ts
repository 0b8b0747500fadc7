import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** The browser of the system; the tests download none. */
export const browser = {
  available: existsSync(executablePath),
  /** Starts it with a profile of its own, and without anything that would reach for the network. */
  async launch(): Promise<Browser> {
    return await chromium.launch({
      executablePath,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  },
};

if (!browser.available)
  console.warn('SKIPPED: tests of pages in a browser, because /usr/bin/chromium is not installed');
