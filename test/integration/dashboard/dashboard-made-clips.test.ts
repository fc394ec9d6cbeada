import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { afterEach, beforeEach, test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { makePictures, type PicturesOptions } from '../../../hardware/simulators/camera/made-pictures.ts';
import type { MadeStream, Take } from '../../../hardware/simulators/camera/made-stream.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createWorld, someCamera, type World } from '../../unit/agent/dashboard/dashboard-world.ts';
import { createRealHouse, type RealHouse } from '../../unit/agent/dashboard/real-house.ts';
import type { Kept } from '../capture/capture-rig.ts';
import { DESKTOP, PATIENCE_MS, useBrowser } from './dashboard-browser.ts';
import { decodedSizes, watchMade } from '../capture/rig/made-rig.ts';

const FPS = 10;
const browser = useBrowser();
let house: RealHouse;
let world: World;

beforeEach(async () => {
  house = await createRealHouse();
  world = createWorld({ port: 0, ledger: house.ledger, clock: systemClock });
  world.cameras = [someCamera()];
  await world.dashboard.start();
});
afterEach(async () => {
  await world.dashboard.stop();
  await house.close();
});

const made = (options: PicturesOptions) => makePictures({ fps: FPS, seconds: 2, ...options });

interface Recorded {
  readonly clipId: string;
  readonly durationMs: number;
  /** As ffprobe sees it. */
  readonly size: string;
}

/** The clips of a real capture process that watches such a camera, sealed in the ledger of the house. */
async function record(t: TestContext, takes: readonly Take[], count: number): Promise<Recorded[]> {
  const sub: MadeStream = { fps: FPS, takes: [{ pictures: await made({}) }] };
  const { live, clips } = await watchMade(t, { main: { fps: FPS, takes }, sub });
  await live();
  const recorded: Recorded[] = [];
  for (const clip of await clips(count)) recorded.push(await seal(clip));
  return recorded;
}

async function seal({ file, written, triggeredMs }: Kept): Promise<Recorded> {
  const sizes = [...new Set(await decodedSizes(file))];
  assert.equal(sizes.length, 1);
  assert.ok(written);
  const place = house.record('gate', triggeredMs);
  await copyFile(file, place.partFile);
  house.ledger.sealClip(place.clipId, written);
  return { clipId: place.clipId, durationMs: written.durationMs, size: String(sizes[0]).replace(',', 'x') };
}

/** What the browser shows of a clip at this moment. */
async function shown(page: Page, clipId: string) {
  return (await page.evaluate(`(() => {
    const video = document.querySelector('#clip-${clipId} video');
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 36];
    const drawing = canvas.getContext('2d');
    drawing.drawImage(video, 0, 0, 64, 36);
    const levels = drawing.getImageData(0, 0, 64, 36).data.filter((_, at) => at % 4 === 0);
    return {
      atS: video.currentTime,
      lengthS: video.duration,
      ended: video.ended,
      error: video.error && video.error.message,
      size: video.videoWidth + 'x' + video.videoHeight,
      contrast: Math.max(...levels) - Math.min(...levels),
    };
  })()`)) as {
    atS: number;
    lengthS: number;
    ended: boolean;
    error: string | null;
    size: string;
    contrast: number;
  };
}

/** Plays a clip by its button, from its beginning to its end. */
async function playToItsEnd(page: Page, { clipId, durationMs, size }: Recorded): Promise<void> {
  const card = page.locator(`#clip-${clipId}`);
  const parts: number[] = [];
  page.on('response', (response) => {
    if (response.url().includes(clipId)) parts.push(response.status());
  });
  await card.getByRole('button', { name: /^Play/ }).click();
  const deadline = performance.now() + PATIENCE_MS;
  let before = -1;
  let looked = false;
  for (;;) {
    const now = await shown(page, clipId);
    assert.equal(now.error, null);
    assert.ok(now.atS >= before, `it went back from ${before} s to ${now.atS} s`);
    before = now.atS;
    if (now.atS > 0) {
      assert.equal(now.size, size);
      assert.ok(now.contrast > 30, `its picture at ${now.atS} s shows nothing`);
      if (!looked) await browser.look(page, `made-${size}-${clipId}`);
      looked = true;
    }
    if (now.ended) {
      assert.ok(Math.abs(now.atS * 1000 - durationMs) < 300, `ended at ${now.atS} s of ${durationMs} ms`);
      break;
    }
    assert.ok(performance.now() < deadline, `it stands at ${now.atS} s of ${now.lengthS} s`);
    await page.waitForTimeout(200);
  }
  assert.ok(parts.length > 0 && parts.every((status) => status === 206), `answered with ${parts.join()}`);
}

const CAMERAS: Record<string, { takes: () => Promise<readonly Take[]>; sizes: readonly string[] }> = {
  'with B pictures': {
    takes: async () => [{ pictures: await made({ bPictures: 2 }) }],
    sizes: ['640x360'],
  },
  'that has changed its picture size': {
    takes: async () => [
      { pictures: await made({}), times: 3 },
      { pictures: await made({ width: 320, height: 240 }) },
    ],
    sizes: ['640x360', '320x240'],
  },
  'that has changed its parameters': {
    takes: async () => [
      { pictures: await made({}), times: 3 },
      { pictures: await made({ x264: 'cabac=0:8x8dct=0:ref=1:weightp=0' }) },
    ],
    sizes: ['640x360'],
  },
};
for (const [what, { takes, sizes }] of Object.entries(CAMERAS))
  test(`each clip of a camera ${what} plays in a browser from its first picture to its last`, async (t) => {
    const recorded = await record(t, await takes(), 3);
    assert.deepEqual([...new Set(recorded.map(({ size }) => size))], sizes);
    assert.ok(recorded.some(({ durationMs }) => durationMs > 3000));
    const page = await browser.open(world.dashboard.url(), DESKTOP);
    for (const clip of recorded) await playToItsEnd(page, clip);
    assert.deepEqual(browser.complaints, []);
  });

test('a clip of H.265 plays, or the page says that this browser cannot play H.265', async (t) => {
  const [clip] = await record(t, [{ pictures: await made({ coding: 'H265' }) }], 1);
  assert.ok(clip);
  const page = await browser.open(world.dashboard.url(), DESKTOP);
  const plays = await page.evaluate(
    `document.createElement('video').canPlayType('video/mp4; codecs="hvc1.1.6.L60.90"')`,
  );
  if (plays !== '') return playToItsEnd(page, clip);
  const card = page.locator(`#clip-${clip.clipId}`);
  await card.getByRole('button', { name: /^Play/ }).click();
  await card.getByText(/is H\.265, which this browser cannot play/).waitFor({ timeout: PATIENCE_MS });
  await browser.look(page, 'made-h265');
  assert.deepEqual(browser.complaints, []);
});
