import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { messages } from '../../../src/report/messages/index.ts';
import { scanSamples } from '../sample-report.ts';
import { browser } from './chromium.ts';
import { poison, toMany, toPage } from './pages.ts';

const samples = await scanSamples();
const folder = mkdtempSync(join(tmpdir(), 'telltale-page-'));
let chromium: Browser | undefined;
/** What a page complained of; nothing may. */
let complaints: string[] = [];

function save(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return pathToFileURL(path).href;
}

const addresses = {
  en: save('en.html', toPage(samples)),
  zh: save('zh.html', toPage(samples, 'zh')),
  one: save('1.html', toPage(samples.slice(0, 1))),
  fifty: save('50.html', toPage(toMany(samples, 50))),
  none: save('0.html', toPage([])),
};

async function open(address: string, options: BrowserContextOptions = {}): Promise<Page> {
  if (chromium === undefined) throw new Error('no browser');
  const context = await chromium.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  complaints = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(`request ${request.url()}`);
  });
  await page.goto(address);
  return page;
}

/** Paths of the cards that can be seen. */
async function listShown(page: Page): Promise<readonly string[]> {
  return await page.locator('.file:not(.out) .path').allTextContents();
}

async function findOverflow(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

beforeAll(async () => {
  if (browser.available) chromium = await browser.launch();
}, 60_000);

afterEach(async () => {
  for (const context of chromium?.contexts() ?? []) await context.close();
});

afterAll(async () => {
  await chromium?.close();
  rmSync(folder, { recursive: true });
});

describe.skipIf(!browser.available)('when a person reads the page', () => {
  it('searches in paths, findings and names of members', async () => {
    const page = await open(addresses.en);
    const search = page.getByRole('searchbox', { name: messages.en.html.search });
    await search.fill('SECRET.zip');
    expect(await listShown(page)).toEqual(['downloads/secret.zip']);
    expect(await page.getByRole('status').textContent()).toBe('1 of 4 files shown');
    await search.fill('tom-skypesetup.exe');
    expect(await listShown(page)).toEqual(['downloads/skype_cn.zip']);
    await search.fill('软件 skype_cn');
    expect(await listShown(page)).toEqual(['downloads/skype_cn.zip']);
    await search.fill('nowhere to be found');
    expect(await listShown(page)).toEqual([]);
    expect(await page.getByText(messages.en.html.nothingMatches).isVisible()).toBe(true);
    await page.locator('#none .clear').click();
    expect(await listShown(page)).toHaveLength(4);
    expect(await page.getByText(messages.en.html.nothingMatches).isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('filters by verdict, strength and state, together and by the keyboard', async () => {
    const page = await open(addresses.en);
    const variant = page.getByRole('button', { name: /variant/ });
    await variant.focus();
    await page.keyboard.press('Enter');
    expect(await variant.getAttribute('aria-pressed')).toBe('true');
    expect(await listShown(page)).toEqual(['downloads/skype_cn.zip']);
    await page.getByRole('button', { name: /unverified/ }).click();
    expect(await listShown(page)).toHaveLength(2);
    await page.getByRole('button', { name: 'decisive' }).click();
    expect(await listShown(page)).toEqual(['downloads/skype_cn.zip']);
    await page.locator('#controls .clear').click();
    await page.getByRole('button', { name: messages.en.html.notReadFully }).click();
    expect(await listShown(page)).toEqual(['downloads/secret.zip']);
    await page.locator('#controls .clear').click();
    await page.getByRole('button', { name: messages.en.html.violates }).click();
    expect(await listShown(page)).toEqual(['downloads/skype_cn.zip']);
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('search');
    expect(complaints).toEqual([]);
  });

  it('unfolds and folds what lies in a file, and marks what decided', async () => {
    const page = await open(addresses.en);
    const member = page.locator('.n', { hasText: 'Tom-SkypeSetup.exe' });
    expect(await member.isVisible()).toBe(false);
    await page.getByRole('button', { name: messages.en.html.expandAll }).click();
    expect(await member.isVisible()).toBe(true);
    const row = page.locator('.tree li', { has: member }).last();
    expect(await row.textContent()).toContain('decided the verdict');
    expect(await row.textContent()).toContain('✖ variant');
    await page.getByRole('button', { name: messages.en.html.collapseAll }).click();
    expect(await member.isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('shows the bytes of a telltale with the match marked', async () => {
    const page = await open(addresses.en);
    const view = page.locator('.hex').first();
    expect(await view.textContent()).toMatch(/^[0-9a-f]{8} {2}/);
    expect(await view.locator('mark').count()).toBeGreaterThan(1);
    await view.focus();
    expect(await view.evaluate((element) => document.activeElement === element)).toBe(true);
  });

  it('follows a link to a file that is filtered out and folded up', async () => {
    const page = await open(addresses.fifty);
    const id = await page.locator('.file').last().getAttribute('id');
    await page.getByRole('searchbox').fill('00000-');
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#${id}`);
    await page.waitForFunction((wanted) => document.activeElement?.id === wanted, id ?? '');
    expect(await page.locator('.file').last().locator('details').first().getAttribute('open')).toBe('');
    expect(await page.locator('.file').last().locator('h3').isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('takes the theme of the system, or the one that the reader chose', async () => {
    const page = await open(addresses.en, { colorScheme: 'dark' });
    const toBackground = async (): Promise<string> =>
      await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const button = page.locator('#theme');
    const dark = await toBackground();
    await button.click();
    const light = await toBackground();
    expect(light).not.toBe(dark);
    expect(await button.textContent()).toBe('Theme: light');
    await button.click();
    expect(await toBackground()).toBe(dark);
    await button.click();
    expect(await button.textContent()).toBe('Theme: automatic');
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await toBackground()).toBe(light);
    expect(complaints).toEqual([]);
  });

  it('speaks Chinese', async () => {
    const page = await open(addresses.zh);
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-Hans');
    await page.getByRole('searchbox', { name: messages.zh.html.search }).fill('secret');
    expect(await page.getByRole('status').textContent()).toBe('显示 4 个文件中的 1 个');
    expect(await page.getByRole('button', { name: messages.zh.html.expandAll }).isVisible()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('says so when there was no file', async () => {
    const page = await open(addresses.none);
    expect(await page.getByRole('status').textContent()).toBe('0 of 0 files shown');
    expect(complaints).toEqual([]);
  });

  it('reads all of it without scripts, and sees no controls that do nothing', async () => {
    const page = await open(addresses.en, { javaScriptEnabled: false });
    expect(await page.locator('button:visible').count()).toBe(0);
    expect(await page.locator('input:visible').count()).toBe(0);
    expect(await page.locator('.file .headline:visible').count()).toBe(4);
    expect(await page.getByText('1 file violates the policy.').isVisible()).toBe(true);
    await page.locator('.tree > summary').first().click();
    expect(await page.locator('.n', { hasText: 'Tom-SkypeSetup.exe' }).isVisible()).toBe(true);
  });

  it.each([360, 1280])('needs no scrolling to the side at %d pixels', async (width) => {
    for (const address of [addresses.en, addresses.zh, addresses.fifty]) {
      const page = await open(address, { viewport: { width, height: 800 } });
      await page.locator('#expand').click();
      expect(await findOverflow(page)).toBe(0);
    }
    const long = toMany(samples, 4).map((file) => poison(file, 'a'.repeat(400)));
    const page = await open(save('long.html', toPage(long)), { viewport: { width, height: 800 } });
    await page.locator('#expand').click();
    expect(await findOverflow(page)).toBe(0);
  });

  it('has headings in order and a name for every control', async () => {
    const page = await open(addresses.en);
    const levels = await page
      .locator('h1, h2, h3, h4')
      .evaluateAll((headings) => headings.map(({ tagName }) => Number(tagName.slice(1))));
    expect(levels[0]).toBe(1);
    for (const [at, level] of levels.entries()) expect(level - (levels[at - 1] ?? 0)).toBeLessThanOrEqual(1);
    const unnamed = await page
      .locator('button, input, a')
      .evaluateAll(
        (controls) =>
          controls.filter(
            (control) =>
              (control.textContent ?? '').trim() === '' &&
              control.getAttribute('aria-label') === null &&
              document.querySelector(`label[for="${control.id}"]`) === null,
          ).length,
      );
    expect(unnamed).toBe(0);
  });

  it.each(['light', 'dark'] as const)('has enough contrast in the %s theme', async (colorScheme) => {
    const page = await open(addresses.en, { colorScheme });
    await page.locator('#expand').click();
    const poor = await page
      .locator(
        'h1, h2, h4, p, dt, dd, .word, .path, .quiet, .strength, .n, .v, .q, .p, .role, a, button, mark, summary, .hex, footer',
      )
      .evaluateAll((elements) => {
        const parse = (colour: string): readonly number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
        const toLuminance = (colour: readonly number[]): number => {
          const [red = 0, green = 0, blue = 0] = colour.slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        const toBackground = (element: Element | null): readonly number[] => {
          if (element === null) return [255, 255, 255];
          const colour = parse(getComputedStyle(element).backgroundColor);
          return colour.length === 4 && colour[3] === 0 ? toBackground(element.parentElement) : colour;
        };
        return elements.flatMap((element) => {
          const text = toLuminance(parse(getComputedStyle(element).color));
          const ground = toLuminance(toBackground(element));
          const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
          return ratio < 4.5 ? [`${element.tagName}.${element.className} ${ratio.toFixed(2)}`] : [];
        });
      });
    expect(poor).toEqual([]);
  });

  it('prints everything unfolded, with the addresses of links and without controls', async () => {
    const page = await open(addresses.en);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.locator('#controls').isVisible()).toBe(false);
    const folded = page.locator('.tree .n', { hasText: 'Tom-SkypeSetup.exe' });
    expect(await folded.isVisible()).toBe(true);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      'rgb(255, 255, 255)',
    );
    const address = await page
      .locator('.sources a[href^="https:"]')
      .first()
      .evaluate((link) => getComputedStyle(link, '::after').content);
    expect(address).toContain('https://');
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000);
  });
});

describe.skipIf(!browser.available)('when a page is made of attacks', () => {
  const attacks = [
    '</script><script>alert(1)</script>',
    '</style></title></textarea><img src=x onerror=alert(1)><svg onload=alert(1)>',
    '--><script>alert(1)</script><!--',
    '" autofocus onfocus="alert(1)" x="',
    "' onmouseover='alert(1)",
    'javascript:alert(1)//',
    'https://example.org/" onclick="alert(1)',
    '&lt;img src=x onerror=alert(1)&gt;&#60;script&#62;alert(1)',
    '<template><form action=javascript:alert(1)><button>{{constructor}}${alert(1)}',
  ];

  it('runs nothing and makes nothing of them', async () => {
    const files = attacks.flatMap((attack) => samples.map((file) => poison(file, attack)));
    const page = await open(save('attack.html', toPage(files)));
    await page.locator('#expand').click();
    for (const attack of attacks) await page.getByRole('searchbox').fill(attack);
    const found = await page.evaluate(() => {
      const elements = [...document.querySelectorAll('*')];
      return {
        scripts: document.scripts.length,
        foreign: elements
          .map(({ localName }) => localName)
          .filter((name) => /^(?:img|svg|iframe|object|embed|form|template|textarea|base|link)$/.test(name)),
        // The script tells groups of cards their height.
        handlers: elements
          .filter((element) => !element.matches('.group'))
          .flatMap((element) =>
            element.getAttributeNames().filter((name) => /^(?:on|style|srcdoc|autofocus)/.test(name)),
          ),
        links: [...document.querySelectorAll('a')]
          .map(({ href }) => new URL(href).protocol)
          .filter((protocol) => !/^(?:https?|file):$/.test(protocol)),
        paths: [...new Set([...document.querySelectorAll('.path')].map(({ textContent }) => textContent))],
      };
    });
    expect(found).toEqual({ scripts: 1, foreign: [], handlers: [], links: [], paths: attacks });
    expect(complaints).toEqual([]);
  });
});

describe.skipIf(!browser.available)('when there are many files', () => {
  it('stays usable with 5,000', async () => {
    const text = toPage(toMany(samples, 5000));
    expect(text.length).toBeLessThan(40_000_000);
    const page = await open(save('5000.html', text));
    await page.waitForFunction(() => document.documentElement.dataset.ready === 'yes');
    const search = async (query: string): Promise<{ readonly milliseconds: number; readonly said: string }> =>
      await page.evaluate((wanted) => {
        const field = document.querySelector('input');
        const status = document.querySelector('#shown');
        if (field === null || status === null) throw new Error('no controls');
        const start = performance.now();
        field.value = wanted;
        field.dispatchEvent(new Event('input'));
        void document.body.offsetHeight;
        return { milliseconds: performance.now() - start, said: status.textContent ?? '' };
      }, query);
    const answers = [await search('04998'), await search('secret.zip'), await search('')];
    expect(answers.map(({ said }) => said)).toEqual([
      '1 of 5000 files shown',
      '1250 of 5000 files shown',
      '5000 of 5000 files shown',
    ]);
    // On a quiet machine it is well below 100; a busy one must not fail the test.
    for (const { milliseconds } of answers) expect(milliseconds).toBeLessThan(1500);
    await search('04998');
    expect(await page.locator('.file:not(.out) h3').isVisible()).toBe(true);
    expect(await findOverflow(page)).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('reads one and fifty without a word of complaint', async () => {
    for (const [address, count] of [
      [addresses.one, 1],
      [addresses.fifty, 50],
    ] as const) {
      const page = await open(address);
      expect(await listShown(page)).toHaveLength(count);
      expect(complaints).toEqual([]);
    }
  });
});
