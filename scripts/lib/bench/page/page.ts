/** `scripts/bench page`: how the status page looks, what it weighs and how quickly it answers. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../../../test/fakes/browser.ts';
import { flag, readArguments, requireNoWords, text } from '../../command/arguments.ts';
import { Refusal } from '../../command/ends.ts';
import { whyNot } from '../../command/folders.ts';
import { type AnswerTimes, answerTimes } from './answer-times.ts';
import { type FirstView, firstView } from './first-view.ts';
import { type Figure, type MadePicture, makePictures } from './made-pictures.ts';
import { playScene, SCENE_NAMES } from './scenes.ts';

const DEVICES = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
  desktop: { viewport: { width: 1280, height: 900 } },
};
const LANGUAGES = { en: 'en-GB', uk: 'uk-UA' };
const SCHEMES = ['light', 'dark'] as const;
const PATIENCE_MS = 60_000;

export async function benchPage(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, { shots: text, json: flag });
  requireNoWords(words);
  if (values.shots !== undefined) makeFolder(values.shots);
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const dir = mkdtempSync(join(tmpdir(), 'bench-page-'));
  const browser = await launchBrowser();
  const closing = () => void browser.close();
  signal.addEventListener('abort', closing, { once: true });
  try {
    const pictures = await makePictures(browser, join(dir, 'pictures'));
    if (values.shots !== undefined)
      await takeShots(browser, { dir, pictures, to: values.shots, tell, signal });
    tell('the first view on a phone, over 400 kbit/s with 400 ms');
    const { world } = await playScene('person-an-hour-ago', {
      dir: join(dir, 'first'),
      pictures,
      extra: 400,
    });
    const view = await (async () => {
      try {
        return await firstView(browser, world.dashboard.url(), DEVICES.phone);
      } finally {
        await world.dashboard.stop();
      }
    })();
    signal.throwIfAborted();
    tell('answers with 10,000 clips');
    const answers = await answerTimes(join(dir, 'ledger'));
    const result = { firstView: view, answers };
    process.stdout.write(`${values.json ? JSON.stringify(result) : table(view, answers)}\n`);
    return 0;
  } finally {
    signal.removeEventListener('abort', closing);
    await browser.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new Refusal(`--shots ${dir} cannot be made: ${whyNot(error)}`);
  }
}

/** Each scene on each device, in each language, light and dark. */
async function takeShots(
  browser: Browser,
  options: {
    readonly dir: string;
    readonly pictures: Readonly<Record<Figure, MadePicture>>;
    readonly to: string;
    readonly tell: (sentence: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { dir, pictures, to, tell, signal } = options;
  for (const name of SCENE_NAMES) {
    tell(`pictures of ${name}`);
    const { world, isLost } = await playScene(name, { dir: join(dir, name), pictures });
    try {
      const pages = [];
      for (const [device, screen] of Object.entries(DEVICES))
        for (const [language, locale] of Object.entries(LANGUAGES)) {
          signal.throwIfAborted();
          const context = await browser.newContext({ ...screen, locale, timezoneId: 'Europe/Kyiv' });
          context.setDefaultTimeout(PATIENCE_MS);
          const page = await context.newPage();
          await page.goto(world.dashboard.url());
          await page.locator('#night-part:not([hidden])').waitFor();
          await settle(page);
          pages.push({ page, file: join(to, `${name}-${device}-${language}`) });
        }
      if (isLost) await world.dashboard.stop();
      for (const { page, file } of pages) {
        if (isLost) await page.locator('[data-contact="lost"]').waitFor();
        for (const colorScheme of SCHEMES) {
          await page.emulateMedia({ colorScheme });
          writeFileSync(`${file}-${colorScheme}.png`, await page.screenshot());
        }
        await page.context().close();
      }
    } finally {
      await world.dashboard.stop();
    }
  }
}

/** Until every picture that is on its way has come. The page's policy forbids what polls within it. */
async function settle(page: Page): Promise<void> {
  const hasCome = '[...document.images].every((image) => !image.src || image.complete)';
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await page.evaluate(hasCome)) && performance.now() < deadline) await page.waitForTimeout(50);
}

const table = (view: FirstView, { clips, slowest }: AnswerTimes): string =>
  [
    `first view: ${view.sentenceMs} ms to the first sentence, ${(view.bytes / 1000).toFixed(1)} kB in ${view.requests} requests, pictures included`,
    `of that: ${view.kinds.map(({ kind, bytes }) => `${kind} ${(bytes / 1000).toFixed(1)} kB`).join(', ')}`,
    `${clips} clips, slowest of ${slowest[0]?.calls ?? 0} calls each:`,
    ...slowest.map(
      ({ path, medianMs, slowestMs }) => `  ${path}: median ${medianMs} ms, slowest ${slowestMs} ms`,
    ),
  ].join('\n');
