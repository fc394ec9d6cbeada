import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { defaultFootage } from '../../hardware/simulators/camera/default-footage.ts';
import { prepareFootage } from '../../hardware/simulators/camera/footage.ts';
import { cacheDir } from '../../scripts/lib/places.ts';
import { launchBrowser } from '../fakes/browser.ts';
import { decodeComplaints, probe, sliceHashes } from '../integration/capture/capture-rig.ts';
import { createPlace, leftovers, type Place, type Product } from './product.ts';

const GOP_MS = 2_000;
const STEPS = ['triggered', 'sealed', 'uploaded', 'orchestrated', 'analysed', 'judged'] as const;

interface Judged {
  readonly clipId: string;
  readonly file: string;
  readonly durationMs: number;
  readonly preRollMs: number;
  readonly bytes: number;
  readonly blobUrl: string;
  readonly instanceId: string;
  readonly verdict: string;
  readonly decision: string;
  readonly labels: string[];
  readonly confidence: number;
  readonly bestFrame: string;
  readonly timeline: Record<(typeof STEPS)[number], string>;
}

let place: Place;
let end: Awaited<Product['ended']>;
let clip: Judged;

before(async () => {
  place = createPlace();
  end = await place.start(['--until-verdict', '--json', '--timeout', '600']).ended;
  assert.equal(end.code, 0, `scripts/run failed:\n${end.stderr}`);
  clip = JSON.parse(end.stdout.trim().split('\n').at(-1) ?? '') as Judged;
});
after(() => place?.close());

test('somebody walks before the camera, and the verdict that comes back to the device is a person', () => {
  assert.equal(clip.verdict, 'person');
  assert.equal(clip.decision, 'notified');
  assert.ok(clip.labels.includes('person'));
  assert.ok(clip.confidence > 0.4 && clip.confidence <= 1);
  assert.match(clip.instanceId, /^clip-[0-9a-f]{32}$/);
  assert.match(
    clip.blobUrl,
    new RegExp(`/dacha-video/dacha-1/demo/\\d{4}/\\d{2}/\\d{2}/${clip.clipId}\\.mp4$`),
  );
  assert.match(clip.bestFrame, /\.best\.jpg$/);
});

test('the clip holds 35 s, give or take a group of pictures, and the seconds before the trigger', () => {
  assert.ok(Math.abs(clip.durationMs - 35_000) <= GOP_MS, `${clip.durationMs} ms`);
  assert.ok(
    clip.preRollMs >= 4_000 && clip.preRollMs <= 5_000 + GOP_MS,
    `${clip.preRollMs} ms before the trigger`,
  );
});

test('every step of the way is in the timeline, in order', () => {
  const times = STEPS.map((step) => Date.parse(clip.timeline[step]));
  assert.ok(times.every(Number.isFinite), JSON.stringify(clip.timeline));
  assert.deepEqual(
    times.toSorted((a, b) => a - b),
    times,
  );
});

test('ffprobe plays the file, and it is as long and as large as the ledger says', async () => {
  const facts = await probe(clip.file);
  assert.deepEqual(facts.codecs, ['h264']);
  assert.ok(Math.abs(facts.durationMs - clip.durationMs) <= 100, `${facts.durationMs} ms`);
  assert.equal(await decodeComplaints(clip.file), '');
  assert.equal(statSync(clip.file).size, clip.bytes);
});

test('the pictures are the ones the camera encoded, bit for bit, one after the other', async () => {
  const footage = await prepareFootage({ video: await defaultFootage(cacheDir()), cacheDir: cacheDir() });
  const camera = (await sliceHashes(footage.mainFile)).map(({ hash }) => hash);
  const recorded = (await sliceHashes(clip.file)).map(({ hash }) => hash);
  assert.ok(recorded.length > 300);
  const known = new Set(camera);
  assert.deepEqual(
    recorded.filter((hash) => !known.has(hash)),
    [],
    'a picture the camera never sent',
  );
  // From the first picture of the footage proper on, the order is the camera's.
  const tail = recorded.slice(-200).join();
  assert.ok([...camera, ...camera].join().includes(tail), 'pictures are missing or out of order');
});

test('Chromium plays the file', async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`file://${clip.file}`);
    const played = await page.locator('video').evaluate(async (element) => {
      const video = element as unknown as {
        muted: boolean;
        currentTime: number;
        duration: number;
        videoWidth: number;
        play(): Promise<void>;
      };
      video.muted = true;
      await video.play();
      const endAt = Date.now() + 30_000;
      while (video.currentTime < 0.5 && Date.now() < endAt)
        await new Promise((resolve) => setTimeout(resolve, 50));
      return { seconds: video.currentTime, duration: video.duration, width: video.videoWidth };
    });
    assert.ok(played.seconds >= 0.5, `stood at ${played.seconds} s`);
    assert.ok(Math.abs(played.duration * 1000 - clip.durationMs) <= 100);
    assert.ok(played.width > 0);
  } finally {
    await browser.close();
  }
});

test('nothing runs any more', () => {
  assert.deepEqual(leftovers(place.data, []), []);
});
