import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLog } from '../../../agent/kernel/log.ts';
import { createSuppressedStore, type SuppressedRecord } from '../../../agent/motion/motion.ts';
import { packThumbnail } from '../../../agent/motion/suppressed/pictures.ts';
import { createWorld, NOW_MS, type World } from '../../unit/agent/dashboard/dashboard-world.ts';
import { PATIENCE_MS, PHONE, useBrowser } from './dashboard-browser.ts';

const browser = useBrowser();

/** A light box that moves to the right over a grey slope. */
const picture = (afterMs: number) =>
  packThumbnail(
    Uint8Array.from({ length: 80 * 45 }, (_, i) => {
      const x = i % 80;
      const y = Math.floor(i / 80);
      const left = 30 + afterMs / 100;
      return x >= left && x < left + 8 && y > 15 && y < 35 ? 220 : 60 + x;
    }),
    afterMs,
  );
const note = (reason: string, agoMs: number): SuppressedRecord => ({
  version: 1,
  atMs: NOW_MS - agoMs,
  reason,
  models: [
    {
      sensitivity: 5,
      reason: null,
      quiet: false,
      sightings: [
        {
          region: [0.37, 0.33, 0.48, 0.8],
          confirmed: true,
          seenMs: 1_400,
          frames: 7,
          travel: 0.12,
          path: 0.15,
          stays: [{ zone: 'drive', ms: 1_200, told: false }],
        },
      ],
    },
  ],
  settings: { sensitivity: 5 },
  pictures: [picture(-600), picture(0), picture(1_200)],
});

let dir = '';
let world: World;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dashboard-why-page-'));
  const store = createSuppressedStore({ dir, clock: { nowMs: () => NOW_MS }, log: createLog('silent') });
  await store.start();
  store.keep('gate', note('zone-dwell', 60_000));
  store.keep('gate', note('in-place', 300_000));
  await store.settled();
  world = createWorld({ suppressed: store });
  await world.dashboard.start();
});
after(async () => {
  await world.dashboard.stop();
  await rm(dir, { recursive: true });
});

for (const [locale, reason, question, number] of [
  ['en-GB', 'not long enough in its zone', 'Why did it not record?', 'seen for 1.4 s'],
  ['uk-UA', 'недовго був у своїй зоні', 'Чому немає запису?', 'було видно 1,4 с'],
] as const) {
  test(`the page says why something was not recorded, with pictures: ${locale}`, async () => {
    const page = await browser.open(world.dashboard.url(), { locale, viewport: PHONE.viewport });
    await page.getByText(question).click();
    const notes = page.locator('#why-list > li');
    await notes.nth(1).waitFor();
    assert.match(await notes.first().innerText(), new RegExp(`Gate: ${reason}`));
    assert.ok((await notes.first().innerText()).includes(number));
    await notes.first().locator('img').scrollIntoViewIfNeeded();
    const deadline = performance.now() + PATIENCE_MS;
    // Asked from outside: the policy of the page forbids what waits within it.
    while ((await page.evaluate('document.querySelector("#why-list img").naturalWidth')) !== 244) {
      assert.ok(performance.now() < deadline, 'the pictures did not come');
      await page.waitForTimeout(50);
    }
    assert.deepEqual(browser.complaints, []);
  });
}
