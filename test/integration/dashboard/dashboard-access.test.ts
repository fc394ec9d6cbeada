import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import {
  type Figure,
  type MadePicture,
  makePictures,
} from '../../../scripts/lib/bench/page/made-pictures.ts';
import { playScene } from '../../../scripts/lib/bench/page/scenes.ts';
import { launchBrowser } from '../../fakes/browser.ts';
import { violations } from './dashboard-axe.ts';
import { DESKTOP, PHONE, useBrowser } from './dashboard-browser.ts';

const browser = useBrowser();
let dir: string;
let pictures: Record<Figure, MadePicture>;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dashboard-access-'));
  const drawing = await launchBrowser();
  pictures = await makePictures(drawing, join(dir, 'pictures'));
  await drawing.close();
});
after(() => rm(dir, { recursive: true }));

for (const scene of ['person-an-hour-ago', 'camera-down', 'parked-clips', 'disk-full'])
  for (const colorScheme of ['light', 'dark'] as const)
    test(`contrast, touch targets and names are right: ${scene}, ${colorScheme}`, async (t) => {
      const { world } = await playScene(scene, { dir: join(dir, `${scene}-${colorScheme}`), pictures });
      t.after(() => world.dashboard.stop());
      for (const [device, locale] of [
        [PHONE, 'uk-UA'],
        [DESKTOP, 'en-GB'],
      ] as const) {
        const page = await browser.open(world.dashboard.url(), { ...device, locale, colorScheme });
        await page.locator('#night-part:not([hidden])').waitFor();
        await page.locator('#machine-part summary').click();
        assert.deepEqual(await violations(page), []);
      }
    });

/** Where things stand on the screen, from left to right. */
const boxOf = (page: Page, selector: string) =>
  page
    .locator(selector)
    .first()
    .evaluate((one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect();
      return { left, right, top, bottom };
    });

const NAMES = {
  'a long one': 'A very long name of a camera that somebody wrote down whole '.repeat(6),
  'a long one without a space': 'Gate'.repeat(80),
  'one from right to left': 'שער הכניסה 12:30 (צפון)',
  'one that turns what follows': '\u202eetaG\u2066 12:30 ',
};
for (const [what, title] of Object.entries(NAMES))
  test(`a name hides and reorders nothing beside it: ${what}`, async (t) => {
    const { world } = await playScene('person-an-hour-ago', { dir: join(dir, what), pictures });
    t.after(() => world.dashboard.stop());
    world.cameras = world.cameras.map((camera) => ({ ...camera, title }));
    world.clips.forEach((clip, n) => {
      if (clip.verdict)
        world.clips[n] = { ...clip, verdict: { ...clip.verdict, labels: [title.slice(0, 200), 'dog'] } };
    });
    const page = await browser.open(world.dashboard.url(), PHONE);
    await page.locator('.persons .name').first().waitFor();
    await browser.look(page, `names-${what}`);
    // Names may push the list so far from the screen that none of its clips is drawn.
    await page.evaluate("document.getElementById('clips').scrollIntoView()");
    await page.locator('.clip .badge').first().waitFor();
    for (const [beside, name, stays] of [
      ['.clip time', '.clip .camera', '.clip .badge'],
      ['.persons time', '.persons .name', '.persons button'],
    ] as const) {
      const [time, camera, badge] = [
        await boxOf(page, beside),
        await boxOf(page, name),
        await boxOf(page, stays),
      ];
      assert.ok(time.right <= camera.left + 1 || time.bottom <= camera.top + 1, `${name} covers ${beside}`);
      assert.ok(badge.right <= 390 && badge.left >= 0, `${stays} is off the screen`);
    }
    const seen = await page.locator('.clip .seen').first().innerText();
    assert.match(seen, /, dog, 87% sure$/);
    assert.doesNotMatch(seen, /[\u202a-\u202e\u2066\u2067]/);
    // The whole name stands in the story of the clip.
    await page.locator('.clip summary').first().click();
    assert.ok((await page.locator('.clip .full').first().textContent())?.includes(title));
  });
