import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { recoverTornClip } from '../../../../../agent/capture/recovery/recover.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { box, madeBytes, madeInit } from '../../capture/made-fragments.ts';
import { benchLedger, keepWhole, writeClip } from '../bench.ts';

const INIT = madeInit();
const [FTYP, MOOV] = [INIT.subarray(0, INIT.readUInt32BE(0)), INIT.subarray(INIT.readUInt32BE(0))];
/** An init segment whose `moov` says that it has so many bytes more. */
function longer(bytes: number): Buffer {
  const moov = Buffer.from(MOOV);
  moov.writeUInt32BE(moov.readUInt32BE(0) + bytes);
  return Buffer.concat([FTYP, moov]);
}
const FRAGMENT = madeBytes({ baseMs: 0 });

/** Short: a comparison of long buffers that differ takes all memory there is. */
const describe = (bytes: Buffer) =>
  `${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`;

/** What becomes of a recording whose writer left these bytes. */
async function recovered(t: TestContext, content: Buffer) {
  const bench = benchLedger(t, { recoverTorn: recoverTornClip });
  const clip = bench.open();
  writeFileSync(clip.partFile, content);
  await bench.reopen().check({ repair: true });
  const after = bench.ledger.clip(clip.clipId);
  const aside = join(bench.dir, 'quarantine');
  const [name] = existsSync(aside) ? readdirSync(aside) : [];
  return {
    state: after?.state,
    reason: after?.reason ?? '',
    kept: name === undefined ? 'nothing' : describe(readFileSync(join(aside, name))),
    isThere: existsSync(clip.partFile) || existsSync(clip.file),
  };
}

for (const [what, content] of Object.entries({
  'no byte': Buffer.alloc(0),
  zeros: Buffer.alloc(100_000),
  'its init segment': INIT,
  'its init segment and zeros': Buffer.concat([INIT, Buffer.alloc(100_000)]),
  'an init segment with user data': Buffer.concat([
    FTYP,
    box('moov', box('mvhd', Buffer.alloc(100)), MOOV.subarray(8), box('udta', Buffer.from('x'))),
  ]),
}))
  test(`a recording that holds ${what} held nothing: it is lost, and nothing of it is kept`, async (t) => {
    const { state, reason, kept, isThere } = await recovered(t, content);
    assert.deepEqual(
      { state, reason, kept, isThere },
      {
        state: 'lost',
        reason: 'the writer ended before a playable fragment was on disk',
        kept: 'nothing',
        isThere: false,
      },
    );
  });

for (const [what, content] of Object.entries({
  'one byte behind its init segment': Buffer.concat([INIT, Buffer.from([1])]),
  'one byte behind zeros': Buffer.concat([INIT, Buffer.alloc(2_000_000), Buffer.from([1])]),
  'a half fragment': Buffer.concat([INIT, FRAGMENT.subarray(0, 60)]),
  'half an init segment': INIT.subarray(0, -1),
  'half a header': INIT.subarray(0, 5),
  'another first box': Buffer.concat([box('free', Buffer.from('x')), INIT]),
  'another second box': Buffer.concat([FTYP, box('free', Buffer.from('x')), MOOV]),
  'a moov whose size covers what was recorded': Buffer.concat([longer(60), FRAGMENT.subarray(0, 60)]),
  'a moov whose size covers a little of it': Buffer.concat([longer(4), FRAGMENT.subarray(0, 4)]),
  'a moov that ends behind the file': longer(1),
  'a moov with a box that is larger than itself': Buffer.concat([
    FTYP,
    box('moov', Buffer.from([0, 0, 0, 9, 0x74, 0x72, 0x61, 0x6b])),
    Buffer.from('evidence'),
  ]),
  'a box without a size': Buffer.concat([FTYP, Buffer.from([0, 0, 0, 0, 0x6d, 0x6f, 0x6f, 0x76])]),
}))
  test(`a recording that holds ${what} is kept, byte for byte`, async (t) => {
    const { state, reason, kept } = await recovered(t, content);
    assert.equal(state, 'lost');
    assert.match(reason, /set aside in quarantine/);
    assert.equal(kept, describe(content));
  });

test('a recovered clip begins as long before its last write as it lasts; what lies before the trigger is pre-roll', async (t) => {
  const bench = benchLedger(t);
  const { clock } = bench;
  const triggeredMs = clock.nowMs();
  // The bench's repair calls every clip ten seconds long.
  const cases = [
    // last write, seconds after the trigger: pre-roll, start relative to the trigger
    { writtenS: 7, preRollMs: 3_000, startedMs: -3_000 },
    { writtenS: 0, preRollMs: 10_000, startedMs: -10_000 },
    { writtenS: 10, preRollMs: 0, startedMs: 0 },
    // Not believable: it would have begun behind its trigger, or before its own length.
    { writtenS: 10.001, preRollMs: 0, startedMs: 0 },
    { writtenS: -0.001, preRollMs: 0, startedMs: 0 },
    { writtenS: 3_600, preRollMs: 0, startedMs: 0 },
  ];
  const clips = cases.map(({ writtenS }) => {
    const clip = bench.open();
    writeClip(clip.partFile, 100);
    utimesSync(
      clip.partFile,
      new Date(triggeredMs + writtenS * 1_000),
      new Date(triggeredMs + writtenS * 1_000),
    );
    return clip;
  });
  await bench.reopen().check({ repair: true });
  for (const [n, { writtenS, preRollMs, startedMs }] of cases.entries()) {
    const clip = bench.ledger.clip(clips[n]!.clipId);
    assert.deepEqual(
      [clip?.state, clip?.durationMs, clip?.preRollMs, clip?.startedMs],
      ['sealed', 10_000, preRollMs, triggeredMs + startedMs],
      `last written ${writtenS} s after the trigger`,
    );
  }
});

test('no recovered clip has a pre-roll longer than any that can be configured', async (t) => {
  const bench = benchLedger(t, {
    recoverTorn: async (file) => ({ ...(await keepWhole(file))!, durationMs: 100_000 }),
  });
  const triggeredMs = bench.clock.nowMs();
  const clips = [60_000, 60_001].map((preRollMs) => {
    const clip = bench.open();
    writeClip(clip.partFile, 100);
    const at = new Date(triggeredMs + 100_000 - preRollMs);
    utimesSync(clip.partFile, at, at);
    return clip;
  });
  await bench.reopen().check({ repair: true });
  assert.deepEqual(
    clips.map(({ clipId }) => bench.ledger.clip(clipId)?.preRollMs),
    [60_000, 0],
  );
});

test('a disk that is full while a clip is repaired uses up none of its tries, however often', async (t) => {
  let isFull = true;
  const bench = benchLedger(t, {
    recoverTorn: async (file) => {
      if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      return keepWhole(file);
    },
  });
  const clip = bench.open();
  writeClip(clip.partFile, 100);
  for (let start = 0; start < 6; start++) {
    const { problems } = await bench.reopen().check({ repair: true });
    assert.match(problems[0]?.problem ?? '', /no space left/);
    assert.equal(bench.ledger.clip(clip.clipId)?.state, 'recording');
  }
  isFull = false;
  assert.deepEqual((await bench.reopen().check({ repair: true })).problems, []);
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'sealed');
});

test('a fault that passes within minutes uses up no try either: a repair while the agent runs is not counted', async (t) => {
  let fails = true;
  const bench = benchLedger(t, {
    recoverTorn: async (file) => {
      if (fails) throw new Error('the card does not answer');
      return keepWhole(file);
    },
  });
  const clip = bench.open();
  writeClip(clip.partFile, 100);
  await bench.ledger.recoverClip(clip.clipId);
  assert.deepEqual(bench.standing(), ['clip-unsealed']);
  for (let turn = 0; turn < 10; turn++) {
    await bench.clock.advance(6 * 60_000);
    assert.deepEqual(await bench.ledger.tend(), { sealed: 0 });
  }
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'recording');
  const tries = bench.ledger.custody(clip.clipId).filter(({ event }) => event === 'recover-failed');
  assert.equal(tries.length, 1, 'the first one counts, once');
  fails = false;
  await bench.clock.advance(8 * 60_000);
  assert.deepEqual(await bench.ledger.tend(), { sealed: 1 });
  assert.deepEqual(bench.standing(), []);
});

test('what stands in place of a recording and is no file is set aside, and custody says what it is', async (t) => {
  const bench = benchLedger(t);
  const [folder, link] = [bench.open(), bench.open()];
  mkdirSync(folder.partFile);
  symlinkSync('nowhere', link.file);
  const { problems } = await bench.reopen().check({ repair: true });
  assert.deepEqual(problems, []);
  assert.match(bench.ledger.clip(folder.clipId)?.reason ?? '', /a folder stands in its place/);
  assert.match(bench.ledger.clip(link.clipId)?.reason ?? '', /a link stands in its place/);
  assert.equal(readdirSync(join(bench.dir, 'quarantine')).length, 2);
});

test('two repairs of one clip at the same time are one', async (t) => {
  let runs = 0;
  const bench = benchLedger(t, {
    recoverTorn: async (file) => {
      runs += 1;
      return keepWhole(file);
    },
  });
  const clip = bench.open();
  writeClip(clip.partFile, 100);
  await Promise.all([bench.ledger.recoverClip(clip.clipId), bench.ledger.recoverClip(clip.clipId)]);
  assert.equal(runs, 1);
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'sealed');
});

test('a clip that is sealed, or given up, while it is being repaired stays what it is', async (t) => {
  for (const end of ['seal', 'lose'] as const) {
    const bench = benchLedger(t, {
      recoverTorn: async (file) => {
        const found = await keepWhole(file);
        if (end === 'seal') bench.ledger.sealClip(clip.clipId, written);
        else bench.ledger.loseClip(clip.clipId, 'forgotten by the operator');
        return found;
      },
    });
    const clip = bench.open();
    const written = writeClip(clip.partFile, 100);
    await bench.ledger.recoverClip(clip.clipId);
    const after = bench.ledger.clip(clip.clipId);
    assert.equal(after?.state, end === 'seal' ? 'sealed' : 'lost');
    assert.equal(after?.durationMs, end === 'seal' ? written.durationMs : null);
    assert.deepEqual(bench.standing(), []);
  }
});

test('a bug met while a clip is repaired is told to whoever asked', async (t) => {
  const { ledger } = benchLedger(t);
  await assert.rejects(
    ledger.recoverClip('01ARYZ6S410000000000000000'),
    (error) => error instanceof Failure && error.kind === 'bug',
  );
});

test('a recording with holes of any size is read: its whole fragments before and behind them are kept', async (t) => {
  const bench = benchLedger(t, { recoverTorn: recoverTornClip });
  const clip = bench.open();
  const parts = [0, 1_000, 2_000].map((baseMs) => madeBytes({ baseMs }));
  const [first, second, third] = parts as [Buffer, Buffer, Buffer];
  writeFileSync(clip.partFile, Buffer.concat([INIT, first, second]));
  const fd = openSync(clip.partFile, 'r+');
  const HOLE = 200 * 1024 ** 2;
  writeSync(fd, third, 0, third.length, INIT.length + first.length + second.length + HOLE);
  closeSync(fd);
  truncateSync(clip.partFile, 1024 ** 3);
  await bench.reopen().check({ repair: true });
  const after = bench.ledger.clip(clip.clipId);
  assert.equal(after?.state, 'sealed');
  assert.equal(after?.bytes, INIT.length + first.length + second.length + HOLE + third.length);
  assert.match(bench.ledger.custody(clip.clipId).at(-1)?.detail ?? '', /kept 3 of \d+ fragments/);
});
