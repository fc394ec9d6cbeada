import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { createLog } from '../../../../../agent/kernel/log.ts';
import { replayRecord } from '../../../../../agent/motion/motion.ts';
import { createSuppressedStore } from '../../../../../agent/motion/suppressed/store.ts';
import { HOUR_MS, note, NOW_MS } from './rig.ts';

const TEN_MINUTES_MS = 600_000;
let dir = '';
let warnings: string[] = [];
const clock = { wallMs: NOW_MS, nowMs: () => clock.wallMs };
const log = createLog('warn', (line) => warnings.push(line));

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-note-disk-'));
  clock.wallMs = NOW_MS;
  warnings = [];
});
afterEach(() => rm(dir, { recursive: true }));

async function open(budgetBytes?: number) {
  const store = createSuppressedStore({ dir, clock, log, ...(budgetBytes ? { budgetBytes } : {}) });
  await store.start();
  return store;
}

test('what a disk refuses leaves nothing behind, and the rest stays as it was', async () => {
  const store = await open();
  store.keep('gate', note(NOW_MS));
  await store.settled();
  // A folder is in the way of the finished name: writing goes well, renaming does not.
  const atMs = NOW_MS + HOUR_MS;
  clock.wallMs = atMs;
  await mkdir(join(dir, 'gate', `${atMs}-in-place.json`));
  store.keep('gate', note(atMs));
  await store.settled();
  assert.deepEqual(
    (await store.list({ limit: 9 })).map(({ record }) => record.atMs),
    [NOW_MS],
  );
  assert.deepEqual(
    (await readdir(join(dir, 'gate'))).filter((name) => name.endsWith('.part')),
    [],
  );
});

test('a disk that refuses for hours is asked once in ten minutes, and notes go on when it takes them again', async () => {
  await writeFile(join(dir, 'gate'), 'no folder can be here');
  const store = await open();
  for (let second = 0; second < 3_600; second += 4) {
    clock.wallMs = NOW_MS + second * 1_000;
    store.keep('gate', note(clock.wallMs));
    await store.settled();
  }
  assert.equal(warnings.length, 6);
  await rm(join(dir, 'gate'));
  clock.wallMs = NOW_MS + HOUR_MS;
  store.keep('gate', note(clock.wallMs));
  await store.settled();
  assert.equal((await store.list({ limit: 9 })).length, 1);
});

test('a note that is unreadable at a look takes no other with it', async () => {
  const store = await open(40_960);
  for (let n = 0; n < 5; n++) {
    clock.wallMs = NOW_MS + n * TEN_MINUTES_MS;
    store.keep('gate', note(clock.wallMs));
    await store.settled();
  }
  await writeFile(join(dir, 'gate', `${NOW_MS + TEN_MINUTES_MS}-in-place.json`), '{"version":1,');
  // Looked at while another note is on its way to the disk.
  clock.wallMs = NOW_MS + 5 * TEN_MINUTES_MS;
  store.keep('gate', note(clock.wallMs));
  const [seen] = await Promise.all([store.list({ limit: 9 }), store.settled()]);
  assert.ok(seen.length >= 4);
  await store.settled();
  assert.deepEqual(
    (await store.list({ limit: 9 })).map(({ record }) => (record.atMs - NOW_MS) / TEN_MINUTES_MS),
    [5, 4, 3, 2, 0],
  );
  assert.equal((await readdir(join(dir, 'gate'))).length, 5);
});

test('a budget smaller than one note keeps none, and takes none that is there', async () => {
  const roomy = await open();
  roomy.keep('gate', note(NOW_MS));
  await roomy.stop();
  const store = await open(2_048);
  clock.wallMs = NOW_MS + HOUR_MS;
  store.keep('gate', note(clock.wallMs));
  await store.settled();
  assert.deepEqual(await store.list({ limit: 9 }), []);
  assert.deepEqual(await readdir(join(dir, 'gate')), []);
});

test('with a clock that has not been set the oldest notes still go first', async () => {
  const roomy = await open();
  for (let n = 0; n < 6; n++) {
    clock.wallMs = NOW_MS + n * TEN_MINUTES_MS;
    roomy.keep('gate', note(clock.wallMs));
    await roomy.settled();
  }
  await roomy.stop();
  clock.wallMs = 5_000;
  const store = await open(4 * 4_096);
  store.keep('gate', note(clock.wallMs));
  await store.settled();
  clock.wallMs = NOW_MS + HOUR_MS;
  const kept = (await store.list({ limit: 9 })).map(({ record }) => record.atMs);
  assert.deepEqual(kept, [5, 4, 3].map((n) => NOW_MS + n * TEN_MINUTES_MS).concat(5_000));
});

test('a note that was changed into something else is removed, and never breaks the answer', async () => {
  const store = await open();
  const good = note(NOW_MS);
  const sighting = {
    region: [0, 0, 1, 1],
    confirmed: true,
    seenMs: 1,
    frames: 1,
    travel: 0,
    path: 0,
    stays: [],
  };
  const model = { sensitivity: 5, reason: null, quiet: false, sightings: [sighting] };
  const bad: object[] = [
    { ...good, atMs: 1e300 },
    { ...good, models: [null] },
    { ...good, models: [{ ...model, sightings: [null] }] },
    { ...good, models: [{ ...model, sightings: [{ ...sighting, region: [0, 0, 1] }] }] },
    { ...good, models: [{ ...model, sightings: [{ ...sighting, stays: [{}] }] }] },
    { ...good, pictures: [null] },
    { ...good, pictures: [{ grey: 'AAAA' }] },
    { ...good, settings: null },
    { ...good, settings: { sensitivity: 5, timeZone: 'Atlantis/Centre' } },
    { ...good, settings: { sensitivity: 5, zones: [{ id: 'a' }] } },
    { ...good, settings: { sensitivity: 5, zones: 'everywhere' } },
  ];
  await mkdir(join(dir, 'gate'));
  for (const [n, value] of [...bad, { ...good, models: [model] }].entries())
    await writeFile(join(dir, 'gate', `${NOW_MS + n}-in-place.json`), JSON.stringify(value));
  const again = await open();
  const kept = await again.list({ limit: 50 });
  await again.settled();
  assert.equal(kept.length, 1);
  for (const { record } of kept) assert.equal(replayRecord(record).kind, 'motion');
  assert.equal((await readdir(join(dir, 'gate'))).length, 1);
  await store.stop();
});

test('counts that began anew are all new: nothing that was suppressed is left out', async () => {
  const store = await open();
  store.count('gate', { 'in-place': 9 });
  // The camera was set up anew, so it counts from nothing.
  store.count('gate', { 'in-place': 4 });
  store.count('gate', { 'in-place': 5, lighting: 1 });
  assert.deepEqual(store.hours({ limit: 1 })[0]?.reasons, { 'in-place': 14, lighting: 1 });
});

test('hours that no calendar has are left out', async () => {
  const hours = [
    { cameraId: 'gate', hourMs: 1e300, reasons: { lighting: 1 } },
    { cameraId: 'gate', hourMs: NOW_MS, reasons: { lighting: 2 } },
  ];
  await writeFile(join(dir, 'counts.json'), JSON.stringify({ version: 1, hours }));
  const store = await open();
  assert.deepEqual(
    store.hours({ limit: 9 }).map(({ hourMs }) => hourMs),
    [NOW_MS],
  );
});

test('counts that the disk refuses are written when it takes them again', async () => {
  const store = await open();
  await mkdir(join(dir, 'counts.json.part'));
  store.count('gate', { lighting: 1 });
  clock.wallMs = NOW_MS + TEN_MINUTES_MS;
  store.count('gate', { lighting: 2 });
  await store.settled();
  assert.equal(warnings.length, 1);
  await rm(join(dir, 'counts.json.part'), { recursive: true });
  await store.stop();
  const { hours } = JSON.parse(await readFile(join(dir, 'counts.json'), 'utf8')) as { hours: unknown };
  assert.deepEqual(hours, [{ cameraId: 'gate', hourMs: NOW_MS, reasons: { lighting: 2 } }]);
});

test('pipes in the place of counts, notes and what is written beside them hold up nobody', async () => {
  const first = await open();
  first.keep('gate', note(NOW_MS));
  await first.settled();
  await first.stop();
  const [name = ''] = await readdir(join(dir, 'gate'));
  for (const place of ['counts.json', 'counts.json.part', `gate/${name}`, 'gate/odd.json.part']) {
    await rm(join(dir, place), { force: true });
    execFileSync('mkfifo', [join(dir, place)]);
  }
  const store = await open();
  assert.deepEqual(await store.list({ limit: 10 }), []);
  store.count('gate', { 'too-small': 3 });
  await store.settled();
  await store.stop();
  const again = await open();
  assert.equal(again.hours({ limit: 10 })[0]?.reasons['too-small'], 3);
});
