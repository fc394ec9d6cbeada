import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Page, Route } from 'playwright-core';
import { clipIdOf, someClip } from '../../fakes/ledger-view.ts';
import { createWorld, NOW_MS, type World } from '../../unit/agent/dashboard/dashboard-world.ts';
import { judged } from '../../unit/agent/dashboard/served-page.ts';
import { PATIENCE_MS, PHONE, useBrowser } from './dashboard-browser.ts';

const browser = useBrowser();
let world: World;

beforeEach(async () => {
  world = createWorld();
  for (let n = 0; n < 50; n += 1) {
    const hoursAgo = (50 - n) / 10;
    world.clips.push(
      someClip(n, { ...judged(n), triggeredMs: NOW_MS - 6 * 3_600_000 - hoursAgo * 3_600_000 }),
    );
  }
  await world.dashboard.start();
});
afterEach(() => world.dashboard.stop());

/** More than the page waits for an answer. */
const LONG_MS = 31_000;

interface Silence {
  readonly page: Page;
  /** Requests to it that were let through. */
  readonly answered: () => number;
  /** Until a request to it waits; then time goes on until the page asks anew. */
  readonly giveUp: () => Promise<void>;
}

/** A page whose first request to an address gets no answer at all, with a clock of its own.
 *  @param isIt whether a path with its query is that address */
async function openWithout(isIt: (path: string) => boolean): Promise<Silence> {
  const seen: { answered: number; held?: Route } = { answered: 0 };
  const page = await browser.open(world.dashboard.url(), {
    ...PHONE,
    prepare: async (made) => {
      await made.clock.install();
      await made.route(
        (url) => isIt(`${url.pathname}${url.search}`),
        async (route) => {
          if (seen.held) {
            seen.answered += 1;
            await route.continue();
          } else seen.held = route;
        },
      );
    },
  });
  return {
    page,
    answered: () => seen.answered,
    giveUp: async () => {
      const deadline = performance.now() + PATIENCE_MS;
      while (!seen.held) {
        assert.ok(performance.now() < deadline, 'it was not asked for');
        await page.waitForTimeout(50);
      }
      await page.clock.fastForward(LONG_MS);
      while (seen.answered === 0) {
        assert.ok(performance.now() < deadline, 'it is not asked for again');
        await page.waitForTimeout(50);
        // What the page waits before it asks again goes by at once, too.
        await page.clock.fastForward(5_000);
      }
    },
  };
}

test('a list whose answer never comes is given up, and asked for again', async () => {
  const { page, giveUp } = await openWithout((path) => path.startsWith('/api/clips?limit=20'));
  await giveUp();
  await page.locator(`#clip-${clipIdOf(49)}`).waitFor();
  await page.locator('body:not([data-contact])').waitFor();
});

test('a last night whose answer never comes is given up, and the list goes on', async () => {
  const { page, giveUp } = await openWithout((path) => path === '/api/last-night');
  await giveUp();
  await page.getByRole('region', { name: /^Last night/ }).waitFor();
  world.clips[49] = someClip(49, { ...judged(49), state: 'parked', verdict: null, reason: 'too large' });
  await page.clock.fastForward(5_000);
  await page
    .locator(`#clip-${clipIdOf(49)}`)
    .getByText('upload refused', { exact: true })
    .waitFor();
});

test('older clips that never come are given up, and the next click brings them', async () => {
  const { page, giveUp } = await openWithout((path) => path.includes('before='));
  const older = page.getByRole('button', { name: 'Show older clips' });
  await older.waitFor();
  await older.dispatchEvent('click');
  await older.dispatchEvent('click');
  await giveUp();
  await older.waitFor({ state: 'hidden' });
});

test('changes that never come are asked for again', async () => {
  const { page, giveUp } = await openWithout((path) => path.startsWith('/api/clips/changes'));
  const card = page.locator(`#clip-${clipIdOf(45)}`);
  await card.waitFor({ state: 'attached' });
  world.clips[45] = someClip(45, { ...judged(45), state: 'parked', verdict: null, reason: 'too large' });
  await giveUp();
  await card.getByText('upload refused', { exact: true }).waitFor({ state: 'attached' });
});

test('words of the page that never come are asked for again', async () => {
  const { page, giveUp } = await openWithout((path) => path === '/texts.en.json');
  await giveUp();
  await page.locator(`#clip-${clipIdOf(49)}`).waitFor();
});

test('a story of a clip that never comes is given up, and comes when it is opened again', async () => {
  const { page, answered, giveUp } = await openWithout((path) =>
    path.startsWith(`/api/clips/${clipIdOf(49)}`),
  );
  const card = page.locator(`#clip-${clipIdOf(49)}`);
  await card.locator('summary').dispatchEvent('click');
  const again = giveUp();
  await card.getByText('could not be loaded').waitFor();
  await card.locator('summary').dispatchEvent('click');
  await card.locator('summary').dispatchEvent('click');
  await again;
  assert.equal(answered(), 1);
});
