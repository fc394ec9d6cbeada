import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { reserveFile } from '../../../../../agent/ledger/disk/disk-reserve.ts';
import { besideLedger, benchLedger, uploadNext, verdictFor } from '../bench.ts';

const states = (bench: ReturnType<typeof benchLedger>) =>
  bench.ledger.clips({ limit: 100 }).map(({ state }) => state);

test('a renamed folder of a camera, or two that were swapped, cost no clip', async (t) => {
  const bench = benchLedger(t, { maxBytes: 100_000 });
  const clips = Array.from({ length: 6 }, (_, n) => bench.sealed(5_000, n % 2 === 0 ? 'gate' : 'yard'));
  const folder = (name: string) => join(bench.dir, 'clips', name);
  for (const [from, to] of [
    ['gate', 'front'],
    ['yard', 'gate'],
    ['front', 'yard'],
  ] as const)
    renameSync(folder(from), folder(to));
  await bench.ledger.check({ repair: true });
  await bench.ledger.tend();
  assert.ok(clips.every(({ file }) => existsSync(file)));
  assert.ok(states(bench).every((state) => state === 'sealed'));
  assert.ok(bench.ledger.custody(clips[0]!.clipId).some(({ event }) => event === 'moved-back'));
  assert.deepEqual((await bench.ledger.check({ repair: true, deep: true })).problems, []);
});

test('the bound of the quarantine never takes what may be the only copy of a clip that waits', async (t) => {
  const bench = benchLedger(t, { maxBytes: 100_000 });
  const clips = [bench.sealed(9_000), bench.sealed(9_000)];
  mkdirSync(join(bench.dir, 'quarantine'));
  const names = clips.map(({ file, clipId }) => {
    const at = join(bench.dir, 'quarantine', `gate_${clipId}.mp4`);
    renameSync(file, at);
    return at;
  });
  await bench.ledger.tend();
  assert.ok(names.every((name) => existsSync(name)));
  await bench.ledger.check({ repair: true });
  assert.ok(clips.every(({ file }) => existsSync(file)));
});

test('a clip whose blob is gone goes up again when its file is there after all', async (t) => {
  const bench = benchLedger(t);
  const clips = [bench.sealed(), bench.sealed(), bench.sealed()];
  for (const _ of clips) uploadNext(bench.ledger);
  const clip = clips[0]!;
  renameSync(clip.file, `${clip.file}.away`);
  await bench.ledger.check({ repair: true });
  renameSync(`${clip.file}.away`, clip.file);
  await bench.ledger.returnToQueue(clip.clipId, 'the blob is gone');
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'sealed');
  assert.ok(existsSync(clip.file));
  const other = clips[1]!;
  writeFileSync(other.file, Buffer.alloc(1_000, 'something else'));
  await bench.ledger.returnToQueue(other.clipId, 'the blob is gone');
  assert.equal(bench.ledger.clip(other.clipId)?.state, 'lost');
  assert.equal(readdirSync(join(bench.dir, 'quarantine')).length, 1);
  renameSync(join(bench.dir, 'clips'), join(bench.dir, 'elsewhere'));
  await bench.ledger.returnToQueue(clips[2]!.clipId, 'the blob is gone');
  assert.equal(bench.ledger.clip(clips[2]!.clipId)?.state, 'uploaded');
});

test('a file, or a row, with the largest id that there is stops no recording', async (t) => {
  const bench = benchLedger(t);
  const clip = bench.sealed();
  writeFileSync(clip.file.replace(clip.clipId, '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'), 'playable');
  await bench.ledger.check({ repair: true });
  assert.equal(bench.ledger.clips({ limit: 9 }).length, 1);
  bench.ledger.close();
  const db = besideLedger(bench.dir);
  db.exec(`INSERT INTO clips (clip_id, camera_id, state, clock_quality, blob_name, triggered_ms)
    VALUES ('7ZZZZZZZZZZZZZZZZZZZZZZZZZ', 'gate', 'lost', 'synchronised', 'x', 0)`);
  db.close();
  // The bench closes it again.
  bench.ledger = benchLedger(t, { dir: bench.dir }).ledger;
  const ids = Array.from({ length: 3 }, () => bench.open().clipId);
  assert.deepEqual(ids.toSorted(), ids);
});

test('a sparse file costs no clip and stops no recording, and is not read as a clip', async (t) => {
  const bench = benchLedger(t, { maxBytes: 1_000_000 });
  const clips = Array.from({ length: 5 }, () => bench.sealed());
  mkdirSync(join(bench.dir, 'quarantine'));
  const recording = bench.open();
  for (const path of [
    join(bench.dir, 'quarantine', 'gate_x.mp4'),
    clips[0]!.file.replace(clips[0]!.clipId, '01ARZ3NDEKTSV4RRFFQ69G5FAV'),
    recording.partFile,
  ]) {
    writeFileSync(path, 'x');
    truncateSync(path, 1e12);
  }
  await bench.ledger.tend();
  bench.open();
  await bench.reopen().check({ repair: true });
  assert.match(bench.ledger.clip(recording.clipId)?.reason ?? '', /which no recording has/);
  assert.ok(clips.every(({ clipId }) => bench.ledger.clip(clipId)?.state === 'sealed'));
});

test('evidence that is gone stands as a trouble for a day, over a restart', async (t) => {
  const bench = benchLedger(t);
  const clips = [bench.sealed(), bench.sealed(), bench.sealed()];
  rmSync(clips[0]!.file);
  await bench.ledger.check({ repair: true });
  assert.deepEqual(bench.standing(), ['clips-lost']);
  bench.reopen();
  assert.deepEqual(bench.standing(), ['clips-lost']);
  await bench.clock.advance(25 * 3_600_000);
  await bench.ledger.tend();
  assert.deepEqual(bench.standing(), []);
  writeFileSync(clips[1]!.file, '');
  await bench.ledger.check({ repair: true });
  assert.deepEqual(bench.standing(), ['clips-lost']);
});

test('a clip whose file goes while it is uploaded is uploaded', async (t) => {
  const bench = benchLedger(t);
  for (let n = 0; n < 3; n++) bench.sealed();
  const lease = bench.ledger.leaseNext()!;
  rmSync(lease.clip.file);
  await bench.ledger.check({ repair: true });
  assert.equal(bench.ledger.settleUploaded(lease, 'https://storage/x'), true);
  assert.equal(bench.ledger.clip(lease.clip.clipId)?.state, 'uploaded');
});

test('a link in place of the reserve, or another name of it, is never written through', async (t) => {
  const bench = benchLedger(t);
  const clip = bench.sealed();
  const before = readFileSync(clip.file);
  for (const place of [symlinkSync, linkSync]) {
    rmSync(reserveFile(bench.dir), { force: true });
    place(clip.file, reserveFile(bench.dir));
    await bench.ledger.tend();
    assert.deepEqual(readFileSync(clip.file), before);
  }
});

test('a verdict about a clip that is still recorded, or that contradicts itself, is refused', (t) => {
  const bench = benchLedger(t);
  const put = (document: unknown, messageId: string) =>
    bench.ledger.storeMessage({ messageId, receivedMs: 1, body: Buffer.from(JSON.stringify(document)) });
  const recording = bench.open();
  put({ ...verdictFor(recording.clipId, 1, 'nothing'), decision: 'marked-safe' }, 'early');
  put({ ...verdictFor(bench.sealed().clipId), decision: 'marked-safe' }, 'safe');
  put({ ...verdictFor(bench.sealed().clipId, 1, 'undecided'), decision: 'marked-safe' }, 'undecided');
  assert.deepEqual(bench.ledger.drainInbox(), { applied: 0, refused: 3 });
});

test('the history of one clip is bounded', (t) => {
  const bench = benchLedger(t);
  const { clipId } = bench.sealed();
  uploadNext(bench.ledger);
  for (let revision = 1; revision < 500; revision++) bench.ledger.applyVerdict(verdictFor(clipId, revision));
  const lines = bench.ledger.custody(clipId);
  assert.equal(lines.length, 200);
  assert.match(lines.find(({ event }) => event === 'left-out')?.detail ?? '', /^304 lines/);
});

test('of two files with one id and no row the larger one is the clip', async (t) => {
  const bench = benchLedger(t);
  const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  for (const [camera, bytes] of [
    ['aaaa', 5],
    ['gate', 1_000],
  ] as const) {
    mkdirSync(join(bench.dir, 'clips', camera), { recursive: true });
    writeFileSync(join(bench.dir, 'clips', camera, `${id}.mp4`), Buffer.alloc(bytes, 'x'));
  }
  await bench.ledger.check({ repair: true });
  assert.equal(bench.ledger.clip(id)?.cameraId, 'gate');
});

test('a folder whose name is not UTF-8 is told, and no camera is missing', async (t) => {
  const bench = benchLedger(t);
  bench.sealed();
  mkdirSync(Buffer.concat([Buffer.from(join(bench.dir, 'clips', 'b')), Buffer.from([0xfe])]));
  const { problems } = await bench.ledger.check({ repair: true });
  assert.match(problems[0]?.problem ?? '', /not UTF-8/);
  assert.deepEqual(bench.standing(), []);
});

test('a clip that goes back to the queue is read beside everything else; what happens to it meanwhile counts', async (t) => {
  const bench = benchLedger(t);
  const state = (clipId: string) => bench.ledger.clip(clipId)?.state;
  const [first, judged] = [bench.sealed(), bench.sealed()];
  for (let turn = 0; turn < 2; turn += 1) uploadNext(bench.ledger);
  const returning = [first, judged].map(({ clipId }) =>
    bench.ledger.returnToQueue(clipId, 'the blob is gone'),
  );
  // Nobody has waited: its file is not read yet.
  assert.equal(state(first.clipId), 'uploaded');
  const twice = bench.ledger.returnToQueue(first.clipId, 'the blob is gone');
  bench.ledger.applyVerdict(verdictFor(judged.clipId));
  await Promise.all([...returning, twice]);
  assert.equal(state(first.clipId), 'sealed');
  assert.equal(state(judged.clipId), 'judged');
  await assert.rejects(bench.ledger.returnToQueue(judged.clipId, 'the blob is gone'), { kind: 'bug' });
});

test('a file of a clip that is elsewhere and cannot be moved back stays where it is, is told, and is moved when it can be', async (t) => {
  const bench = benchLedger(t);
  const [clip, other] = [bench.sealed(1_000, 'yard'), bench.sealed(2_000, 'gate')];
  const elsewhere = join(dirname(other.file), basename(clip.file));
  renameSync(clip.file, elsewhere);
  rmSync(dirname(clip.file), { recursive: true });
  // A folder cannot be made under this name.
  symlinkSync(join(bench.dir, 'nowhere', 'at', 'all'), dirname(clip.file));
  const { problems } = await bench.ledger.check({ repair: true });
  assert.match(problems.map(({ problem }) => problem).join(), /is kept aside in .*, could not be put back: /);
  assert.ok(existsSync(elsewhere), 'it was not set aside as a file of nobody');
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'sealed');
  rmSync(dirname(clip.file));
  await bench.ledger.check({ repair: true });
  assert.ok(existsSync(clip.file));
  assert.equal(bench.ledger.custody(clip.clipId).at(-1)?.event, 'moved-back');
});

test('a file in quarantine that is a clip and cannot be put back is told as kept aside, not as lost, until it can be', async (t) => {
  const bench = benchLedger(t);
  const [clip, other] = [bench.sealed(1_000, 'yard'), bench.sealed(2_000, 'gate')];
  mkdirSync(join(bench.dir, 'quarantine'));
  const aside = join(bench.dir, 'quarantine', `yard_${basename(clip.file)}`);
  renameSync(clip.file, aside);
  rmSync(dirname(clip.file), { recursive: true });
  // A folder cannot be made under this name.
  symlinkSync(join(bench.dir, 'nowhere', 'at', 'all'), dirname(clip.file));
  await bench.ledger.check({ repair: true });
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'sealed');
  assert.ok(!bench.standing().includes('clips-lost'));
  const told = bench.conditions.list().find(({ code }) => code === 'clips-aside');
  assert.match(
    told?.detail ?? '',
    new RegExp(`clip ${clip.clipId} is kept aside in ${aside}, could not be put back: `),
  );
  rmSync(dirname(clip.file));
  await bench.clock.advance(60_000);
  await bench.ledger.tend();
  assert.ok(existsSync(clip.file));
  assert.deepEqual(
    [clip, other].map(({ clipId }) => bench.ledger.clip(clipId)?.state),
    ['sealed', 'sealed'],
  );
  assert.deepEqual(bench.standing(), []);
});

test('an uploaded clip whose file comes back whole answers for it again; anything else under its name is set aside', async (t) => {
  const bench = benchLedger(t);
  const clips = [bench.sealed(1_000), bench.sealed(1_000), bench.sealed(1_000)];
  for (const _ of clips) uploadNext(bench.ledger);
  const [back, other] = clips as [(typeof clips)[0], (typeof clips)[0]];
  const bytes = readFileSync(back.file);
  rmSync(back.file);
  await bench.ledger.check({ repair: true });
  writeFileSync(back.file, bytes);
  const { problems } = await bench.ledger.check({ repair: true });
  assert.deepEqual(problems, []);
  assert.deepEqual(bench.ledger.custody(back.clipId).at(-1), {
    atMs: bench.clock.nowMs(),
    event: 'relink',
    detail: 'its file is there again, whole',
  });
  assert.equal(bench.ledger.summary().bytes, 3_000, 'it counts again');

  rmSync(other.file);
  await bench.ledger.check({ repair: true });
  writeFileSync(other.file, Buffer.alloc(1_000, 'other'));
  const again = await bench.ledger.check({ repair: true });
  assert.match(again.problems[0]?.problem ?? '', /is not the clip that was uploaded/);
  assert.equal(bench.ledger.summary().bytes, 2_000);
  assert.ok(readdirSync(join(bench.dir, 'quarantine')).some((name) => name.includes(other.clipId)));
});

test('a clip that was lost while its late upload went on is uploaded when that ends well, once', async (t) => {
  const bench = benchLedger(t);
  const clip = bench.sealed();
  const late = bench.ledger.leaseNext();
  assert.ok(late);
  bench.ledger.noteNotInStorage(late, 'storage does not have it');
  await bench.clock.advance(60_001);
  const newer = bench.sealed();
  assert.equal(bench.ledger.leaseNext()?.clip.clipId, newer.clipId);
  rmSync(clip.file);
  await bench.ledger.check({ repair: true });
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'lost');
  assert.ok(bench.ledger.settleUploaded(late, `https://storage/${clip.blobName}`));
  const after = bench.ledger.clip(clip.clipId);
  assert.deepEqual([after?.state, after?.blobUrl], ['uploaded', `https://storage/${clip.blobName}`]);
  assert.equal(bench.ledger.settleUploaded(late, 'https://storage/again'), false);
  await bench.ledger.tend();
  assert.ok(!bench.standing().includes('clips-lost'), 'nothing is lost after all');
  assert.deepEqual((await bench.ledger.check({ repair: true })).problems, []);
});
