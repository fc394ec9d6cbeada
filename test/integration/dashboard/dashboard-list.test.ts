import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import type { Page } from 'playwright-core';
import type { Clip } from '../../../agent/ledger/ledger.ts';
import { clipIdOf, someClip } from '../../fakes/ledger-view.ts';
import { createWorld, NOW_MS, type World } from '../../unit/agent/dashboard/dashboard-world.ts';
import { judged } from '../../unit/agent/dashboard/served-page.ts';
import { PATIENCE_MS, PHONE, useBrowser } from './dashboard-browser.ts';

const browser = useBrowser();
let world: World;

beforeEach(() => {
  world = createWorld();
});
afterEach(() => world.dashboard.stop());

/** Without a best frame: there is no storage. */
function judgedNothing(n: number): Partial<Clip> {
  const { verdict, ...more } = judged(n);
  const { best_frame: _, ...rest } = verdict as Verdict;
  return { ...more, verdict: { ...rest, verdict: 'nothing', labels: [] } };
}

/** Each a minute older than the one after it. */
function keep(count: number): void {
  const ledger = Array.from({ length: count }, (_, n) =>
    someClip(n, { ...judgedNothing(n), triggeredMs: NOW_MS - (count - n) * 60_000 }),
  );
  world.clips.push(...ledger);
}

/** Asks for older clips. @returns whether there are more */
async function showOlder(page: Page): Promise<boolean> {
  const answered = page.waitForResponse((response) => response.url().includes('before='));
  // Not by its place: what the answer before brings is being drawn above it, and it moves.
  await older(page).dispatchEvent('click');
  const { next } = (await (await answered).json()) as { next: string | null };
  return next !== null;
}

const scrollToEnd = (page: Page) =>
  page.evaluate(
    'scrollTo(0, document.getElementById("clips").getBoundingClientRect().bottom + scrollY - 900)',
  );

const older = (page: Page) => page.getByRole('button', { name: 'Show older clips' });

test('each "older" asks once, and for nothing that is shown already', async () => {
  keep(300);
  await world.dashboard.start();
  const page = await browser.open(world.dashboard.url(), PHONE);
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    // Beside it the page asks for what has changed, by its own clock.
    if (pathname === '/api/clips') asked.push(`${pathname}${search}`);
  });
  await page.locator(`#clip-${clipIdOf(280)}`).waitFor({ state: 'attached' });
  asked.length = 0;
  while (await showOlder(page));
  await older(page).waitFor({ state: 'hidden' });
  assert.deepEqual(asked, [
    `/api/clips?limit=40&before=${clipIdOf(280)}&lang=en`,
    `/api/clips?limit=80&before=${clipIdOf(240)}&lang=en`,
    `/api/clips?limit=100&before=${clipIdOf(160)}&lang=en`,
    `/api/clips?limit=100&before=${clipIdOf(60)}&lang=en`,
  ]);
  assert.deepEqual(browser.complaints, []);
});

test('a clip that changes is read alone, however far down it stands', async () => {
  keep(50);
  await world.dashboard.start();
  const page = await browser.open(world.dashboard.url(), PHONE);
  await page.locator(`#clip-${clipIdOf(30)}`).waitFor({ state: 'attached' });
  assert.equal(await showOlder(page), false);
  await scrollToEnd(page);
  const card = page.locator(`#clip-${clipIdOf(3)}`);
  await card.waitFor({ state: 'attached' });
  const answers: { clips: { clipId: string }[] }[] = [];
  page.on('response', (response) => {
    if (response.url().includes('/api/clips')) void response.json().then((json) => answers.push(json));
  });
  world.clips[3] = someClip(3, { state: 'parked', reason: 'too large' });
  world.clips.push(someClip(50, { state: 'recording', triggeredMs: NOW_MS }));
  await card.getByText('upload refused', { exact: true }).waitFor();
  await page.evaluate('scrollTo(0, 0)');
  await page.locator(`#clip-${clipIdOf(50)}`).waitFor({ state: 'attached' });
  assert.deepEqual(answers.flatMap(({ clips }) => clips.map(({ clipId }) => clipId)).toSorted(), [
    clipIdOf(3),
    clipIdOf(50),
  ]);
});

test('of ten thousand clips only those near the screen are drawn, wherever one scrolls', async () => {
  keep(10_000);
  await world.dashboard.start();
  const page = await browser.open(world.dashboard.url(), PHONE);
  await older(page).waitFor();
  while (await showOlder(page));
  await older(page).waitFor({ state: 'hidden' });
  const settled = async () => {
    const deadline = performance.now() + PATIENCE_MS;
    while ((await page.locator('.clip').count()) >= 200) {
      assert.ok(performance.now() < deadline, 'clips far from the screen stay drawn');
      await page.waitForTimeout(100);
    }
  };
  await scrollToEnd(page);
  await page.locator(`#clip-${clipIdOf(0)}`).waitFor({ state: 'attached' });
  await settled();
  await page.evaluate('scrollTo(0, 0)');
  await page.locator(`#clip-${clipIdOf(9_999)}`).waitFor({ state: 'attached' });
  await settled();
  assert.equal(await page.locator(`#clip-${clipIdOf(0)}`).count(), 0);
  assert.deepEqual(browser.complaints, []);
});

test('a person of last night is one touch away, also when the clip is not among the newest', async () => {
  keep(900);
  const seen = Date.UTC(2026, 10, 19, 23, 0);
  world.clips[100] = someClip(100, { ...judged(100), triggeredMs: seen, file: '/nowhere/x.mp4' });
  await world.dashboard.start();
  const page = await browser.open(world.dashboard.url(), PHONE);
  const night = page.getByRole('region', { name: /^Last night/ });
  await night.getByText('1 × person').waitFor();
  await night.getByRole('button', { name: /01:00/ }).click();
  const card = page.locator(`#clip-${clipIdOf(100)}`);
  await card.getByText('person, dog, 87% sure').waitFor();
  await page.locator(`#clip-${clipIdOf(100)}:focus`).waitFor();
});
