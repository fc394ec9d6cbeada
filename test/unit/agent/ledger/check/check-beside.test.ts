import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { inspectLedger } from '../../../../../agent/ledger/check/inspect.ts';
import { besideLedger, benchLedger, keepWhole, uploadNext, writeClip } from '../bench.ts';

const OLD_CLIPS = 20_000;

/** Rows of clips that are long gone, as a year leaves them. */
function insertOldClips(dir: string, clips: number): void {
  const db = besideLedger(dir);
  db.transaction(() => {
    const clip = db.prepare(
      `INSERT INTO clips (clip_id, camera_id, state, clock_quality, blob_name, triggered_ms, uploaded_ms, judged_ms,
         bytes, sha256, blob_url, attempt, verdict, verdict_revision, on_disk)
       VALUES (?, 'gate', 'judged', 'synchronised', ?, 0, 1, 2, 1000, ?, 'https://x/y', 1, '{}', 1, 0)`,
    );
    const custody = db.prepare('INSERT INTO custody (clip_id, at_ms, event, state) VALUES (?, 0, ?, ?)');
    for (let n = 0; n < clips; n++) {
      const id = `00000000000000000000${String(n).padStart(6, '0')}`;
      clip.run(id, `gate/2026/01/01/${id}.mp4`, '0'.repeat(64));
      for (const [event, state] of [
        ['open', 'recording'],
        ['seal', 'sealed'],
        ['judge', 'judged'],
      ])
        custody.run(id, event, state);
    }
  })();
  db.close();
}

test(`a check of ${OLD_CLIPS} clips lets the event loop turn at least every hundred of them, and recording goes on`, async (t) => {
  const bench = benchLedger(t, { maxBytes: 60_000 });
  insertOldClips(bench.dir, OLD_CLIPS);
  let turns = 0;
  let longestCpuMs = 0;
  let longestMs = 0;
  let recorded = 0;
  const done = new AbortController();
  const checked = bench.ledger.check({ repair: true }).finally(() => done.abort());
  const turning = (async () => {
    while (!done.signal.aborted) {
      const startMs = performance.now();
      const cpu = process.threadCpuUsage();
      await new Promise((resolve) => setImmediate(resolve));
      const { user, system } = process.threadCpuUsage(cpu);
      longestCpuMs = Math.max(longestCpuMs, (user + system) / 1_000);
      longestMs = Math.max(longestMs, performance.now() - startMs);
      turns += 1;
      // A recorder beside it: opens, seals, uploads; older files go.
      if (turns % 20 === 0) {
        bench.sealed(10_000, turns % 40 === 0 ? 'gate' : 'yard');
        if (turns % 60 === 0) uploadNext(bench.ledger);
        recorded += 1;
      }
    }
  })();
  const report = await checked;
  await turning;
  t.diagnostic(
    `${turns} turns, ${recorded} clips recorded meanwhile; longest step ${longestCpuMs.toFixed(1)} ms of CPU, ${longestMs.toFixed(1)} ms`,
  );
  assert.deepEqual(report.problems, []);
  assert.ok(turns >= OLD_CLIPS / 100, `${turns} turns`);
  assert.ok(recorded > 5);
  assert.deepEqual((await bench.ledger.check({ repair: true, deep: true })).problems, []);
});

test('a name that is a link to itself, a folder or a pipe is a finding, and reaches no other clip', async (t) => {
  const bench = benchLedger(t);
  const good = [bench.sealed(), bench.sealed(), bench.sealed(), bench.sealed()];
  const odd = [bench.sealed(), bench.sealed(), bench.sealed()];
  const recording = [bench.open(), bench.open()];
  const whole = bench.open();
  writeClip(whole.partFile, 100);
  for (const { file } of odd) rmSync(file);
  symlinkSync(odd[0]!.file, odd[0]!.file);
  mkdirSync(odd[1]!.file);
  execFileSync('mkfifo', [odd[2]!.file]);
  symlinkSync(recording[0]!.partFile, recording[0]!.partFile);
  mkdirSync(recording[1]!.partFile);
  const stray = join(bench.dir, 'clips', 'gate', '01ARYZ6S410000000000000000.mp4');
  symlinkSync(stray, stray);
  const report = await bench.reopen().check({ repair: true, deep: true });
  const told = new Map(report.problems.map(({ clipId, problem }) => [clipId, problem]));
  assert.match(told.get(odd[0]!.clipId) ?? '', /a link stands in place of its file/);
  assert.match(told.get(odd[1]!.clipId) ?? '', /a folder stands in place of its file/);
  assert.match(told.get(odd[2]!.clipId) ?? '', /a special file stands in place of its file/);
  assert.match(told.get(null) ?? '', /belongs to no clip; it lies in/);
  assert.ok(odd.every(({ clipId }) => bench.ledger.clip(clipId)?.state === 'sealed'));
  assert.ok(good.every(({ clipId }) => !told.has(clipId)));
  assert.equal(bench.ledger.clip(whole.clipId)?.state, 'sealed', 'what a dead writer left is sealed');
  for (const { clipId } of recording) {
    assert.equal(bench.ledger.clip(clipId)?.state, 'lost');
    assert.match(bench.ledger.clip(clipId)?.reason ?? '', /a (link|folder) stands in its place.* set aside/);
  }
});

test('a recording that can be neither written nor moved is a finding at every start, and reaches no other clip', async (t) => {
  const bench = benchLedger(t, {
    recoverTorn: async (file) => {
      await (await openFile(file, 'r+')).close();
      return await keepWhole(file);
    },
  });
  const [stuck, fine] = [bench.open(), bench.open()];
  for (const { partFile } of [stuck, fine]) writeClip(partFile, 100);
  try {
    execFileSync('chattr', ['+i', stuck.partFile], { stdio: 'ignore' });
  } catch {
    t.skip('this system or this user cannot make a file immutable');
    return;
  }
  try {
    for (let start = 0; start < 5; start++) {
      const report = await bench.reopen().check({ repair: true });
      assert.deepEqual(
        report.problems.map(({ clipId }) => clipId),
        [stuck.clipId],
      );
    }
    assert.equal(bench.ledger.clip(fine.clipId)?.state, 'sealed');
    assert.equal(bench.ledger.clip(stuck.clipId)?.state, 'recording');
  } finally {
    execFileSync('chattr', ['-i', stuck.partFile]);
  }
  assert.deepEqual((await bench.reopen().check({ repair: true })).problems, []);
  assert.equal(bench.ledger.clip(stuck.clipId)?.state, 'sealed', 'the fault is gone: it is evidence again');
});

test('a clip whose file is not what its writer said is kept as far as it is whole, and ends nothing', async (t) => {
  const { ledger, open, standing, clock } = benchLedger(t, {
    recoverTorn: async (file) => {
      if (file.includes('yard')) throw new Error('the file confuses me');
      return await keepWhole(file);
    },
  });
  const short = open();
  const written = writeClip(short.partFile, 100);
  assert.throws(() => ledger.sealClip(short.clipId, { ...written, bytes: 200 }));
  await ledger.recoverClip(short.clipId);
  assert.equal(ledger.clip(short.clipId)?.state, 'sealed');
  assert.equal(ledger.clip(short.clipId)?.bytes, 100);
  assert.deepEqual(standing(), []);
  // One that cannot be repaired: told, tried again, and no promise is rejected.
  const worse = open('yard');
  const other = writeClip(worse.partFile, 100);
  assert.throws(() => ledger.sealClip(worse.clipId, { ...other, bytes: 200 }));
  await ledger.recoverClip(worse.clipId);
  assert.deepEqual(standing(), ['clip-unsealed']);
  await clock.advance(60 * 60_000);
  await ledger.tend();
  assert.equal(ledger.clip(worse.clipId)?.state, 'recording', 'a passing fault does not use up its tries');
});

test('what waits to be sealed is a problem for who looks beside the owner', async (t) => {
  const bench = benchLedger(t);
  const [writing, ended] = [bench.open(), bench.open()];
  for (const { partFile } of [writing, ended]) writeClip(partFile, 100);
  renameSync(ended.partFile, ended.file);
  const look = inspectLedger(bench.dir);
  t.after(() => look.close());
  const { problems } = await look.check({ deep: false });
  assert.deepEqual(
    problems.map(({ clipId }) => clipId),
    [ended.clipId],
  );
  assert.match(problems[0]?.problem ?? '', /waits to be sealed/);
});

test('a camera folder deleted under a running clip costs that clip, with the reason; the next one is recorded', async (t) => {
  const { ledger, open, sealed, dir } = benchLedger(t);
  const clip = open();
  const written = writeClip(clip.partFile, 100);
  rmSync(join(dir, 'clips', 'gate'), { recursive: true });
  assert.throws(() => ledger.sealClip(clip.clipId, written));
  await ledger.recoverClip(clip.clipId);
  assert.equal(ledger.clip(clip.clipId)?.state, 'lost');
  assert.ok(ledger.clip(clip.clipId)?.reason);
  assert.equal(sealed().state, 'sealed');
});

test('a file in place of the folder of clips is set aside, and recording goes on', (t) => {
  const { sealed, dir } = benchLedger(t);
  writeFileSync(join(dir, 'clips'), 'somebody was here');
  assert.equal(sealed().state, 'sealed');
  assert.equal(readdirSync(join(dir, 'quarantine')).length, 1);
});

test('odd things in the data folder keep no clip from being recorded', async (t) => {
  const oddities: readonly ((dir: string) => void)[] = [
    (dir) => writeFileSync(join(dir, 'quarantine'), 'a file'),
    (dir) => symlinkSync('quarantine', join(dir, 'quarantine')),
    (dir) => mkdirSync(join(dir, 'ledger.reserve')),
    (dir) => mkdirSync(join(dir, 'clips', 'gate', 'of-this-ledger.mp4', 'deep'), { recursive: true }),
    (dir) => mkdirSync(join(dir, 'clips', 'of-this-ledger'), { recursive: true }),
    (dir) => symlinkSync('/nowhere/at/all', join(dir, 'clips', 'yard')),
  ];
  for (const odd of oddities) {
    const bench = benchLedger(t, { maxBytes: 50_000 });
    mkdirSync(join(bench.dir, 'clips'), { recursive: true });
    odd(bench.dir);
    await bench.reopen().check({ repair: true });
    for (let n = 0; n < 8; n++) bench.sealed(10_000);
    await bench.ledger
      .tend()
      .catch((error: unknown) => assert.ok(error instanceof Failure && error.kind !== 'bug'));
    assert.equal(bench.sealed(10_000).state, 'sealed');
  }
});
