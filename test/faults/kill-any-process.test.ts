import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  clipsOf,
  createPlace,
  leftovers,
  type PageClip,
  pidsOf,
  type Place,
  type Product,
  until,
} from '../system/product.ts';

/** Long enough for a restart with backoff, a queue message that must become visible again and a busy machine. */
const JUDGED_MS = 300_000;
const FSCK = join(import.meta.dirname, '../../scripts/fsck');

let place: Place;
let video: string;
const args = () => ['--video', video, '--pre-roll', '2', '--post-roll', '4'];

before(async () => {
  place = createPlace();
  // With pauses in which the slowest detector catches up.
  video = await place.crossing(6);
});
after(() => place?.close());

/** Waits for a clip that began after now and has come as far as `stage`. */
async function clipAt(page: string, stage: (clip: PageClip) => boolean): Promise<PageClip> {
  const old = new Set((await clipsOf(page)).map(({ clipId }) => clipId));
  return until(
    'a clip in that stage',
    async () => (await clipsOf(page)).find((clip) => !old.has(clip.clipId) && stage(clip)),
    JUDGED_MS,
  );
}

/** Bytes of some whole fragments: what is killed before the first one is on disk is lost, and says so. */
const SOME_BYTES = 100_000;
const recording = ({ state, clipId }: PageClip) => {
  const folder = join(place.data, 'agent/clips/demo');
  return (
    state === 'recording' &&
    readdirSync(folder).some(
      (name) =>
        name.startsWith(clipId) &&
        (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0) > SOME_BYTES,
    )
  );
};
const underway = ({ state }: PageClip) => state === 'sealed' || state === 'uploading' || state === 'uploaded';
const waitsForVerdict = ({ state }: PageClip) => state === 'uploaded';

/** Whom to kill, and how far a clip must be then. */
const victims: readonly [name: string, stage: (clip: PageClip) => boolean][] = [
  ['capture', recording],
  ['agent', recording],
  ['agent', underway],
  ['storage', underway],
  ['iot-hub', waitsForVerdict],
  ['event-grid', underway],
  ['functions-host', waitsForVerdict],
  ['worker', waitsForVerdict],
];

async function judged(page: string, clipId: string, product: Product): Promise<PageClip> {
  return until(
    `the verdict of ${clipId}`,
    async () => (await clipsOf(page)).find((clip) => clip.clipId === clipId && clip.verdict !== null),
    JUDGED_MS,
    () => product.said(),
  );
}

test('SIGKILL of any one process, even of scripts/run itself: each clip gets exactly one verdict', async (t) => {
  let product = place.start(args());
  let page = await product.page();

  for (const [name, stage] of victims) {
    await t.test(`${name} is killed`, async () => {
      const clip = await clipAt(page, stage);
      const pid = await until(`${name} runs`, () => pidsOf(place.data).get(name), 120_000);
      process.kill(pid, 'SIGKILL');
      const { verdict } = await judged(page, clip.clipId, product);
      assert.equal(verdict?.verdict, 'nothing');
      assert.equal(verdict?.revision, 1);
    });
  }

  await t.test('scripts/run is killed, and its processes end by themselves; a new one goes on', async () => {
    const clip = await clipAt(page, underway);
    const pids = [...pidsOf(place.data).values()];
    product.signal('SIGKILL');
    await product.ended;
    await until('every process has ended', () => leftovers(place.data, pids).length === 0, 120_000);
    product = place.start(args());
    page = await product.page();
    const { verdict } = await judged(page, clip.clipId, product);
    assert.equal(verdict?.revision, 1);
  });

  await t.test('in the end every clip is explained, and storage holds one verdict for each', async () => {
    const { stdout } = await promisify(execFile)(FSCK, ['--data', place.data, '--json', '--deep'], {
      timeout: 300_000,
    });
    const report = JSON.parse(stdout) as {
      clips: number;
      problems: unknown[];
      blobs: { checked: number } | null;
    };
    assert.deepEqual(report.problems, []);
    assert.ok(report.clips >= victims.length + 1);
    assert.ok((report.blobs?.checked ?? 0) >= victims.length + 1);
    const lost = (await clipsOf(page)).filter(({ state }) => state === 'lost' || state === 'parked');
    assert.deepEqual(lost, []);
  });
});
