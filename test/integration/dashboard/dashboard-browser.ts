import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../../fakes/browser.ts';

export const PATIENCE_MS = 120_000;
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
export const DESKTOP = { viewport: { width: 1280, height: 900 } };

/** A browser for the tests of a file. Its pages are closed when the test ends. */
export interface BrowserTests {
  /** What the browser complained about in this test: errors, refused scripts, failed requests. */
  readonly complaints: readonly string[];
  /** A page of its own: English and in Kyiv, unless the options say otherwise. */
  open(
    url: string,
    options?: BrowserContextOptions & {
      /** What is done to the page before it asks for anything. */
      readonly prepare?: (page: Page) => Promise<void>;
    },
  ): Promise<Page>;
  /** Takes a picture of the page, and finds nothing wider than the screen. */
  look(page: Page, name: string): Promise<void>;
}

/** To be called at the top of a file: registers what comes before and after its tests. DASHBOARD_SHOTS names the
 *  folder for the pictures of whoever wants to see them. */
export function useBrowser(): BrowserTests {
  const kept = process.env['DASHBOARD_SHOTS'];
  const complaints: string[] = [];
  let browser: Browser;
  let shots: string;
  before(async () => {
    browser = await launchBrowser();
    shots = kept ?? (await mkdtemp(join(tmpdir(), 'dashboard-shots-')));
  });
  after(async () => {
    await browser.close();
    if (kept === undefined) await rm(shots, { recursive: true });
  });
  beforeEach(() => {
    complaints.length = 0;
  });
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

  return {
    complaints,
    open: async (url, { prepare, ...options } = {}) => {
      const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Kyiv', ...options });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await prepare?.(page);
      await page.goto(url);
      return page;
    },
    look: async (page, name) => {
      const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      assert.ok(Number(wide) <= 0, `${name}: the page is ${String(wide)} px wider than the screen`);
      const file = join(shots, `${name}.png`);
      await page.screenshot({ path: file, fullPage: true });
      assert.ok((await stat(file)).size > 10_000, name);
    },
  };
}
