import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { boxes } from '../../../../../agent/capture/mp4/boxes.ts';
import type { Fragment } from '../../../../../agent/capture/mp4/fragment.ts';
import { readFragments } from '../../../../../scripts/lib/fragmented-mp4.ts';
import { recoverTornClip } from '../../../../../agent/capture/recovery/recover.ts';
import { decode, realStream, writeClip } from '../real-clip.ts';

let dir: string;
let stream: Awaited<ReturnType<typeof realStream>>;
let clip: Buffer;
let file: string;
/** Each fragment of the clip, `moof` and `mdat`, as it was written. */
let parts: { at: number; end: number; bytes: Buffer }[];

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-damage-'));
  stream = await realStream({ seconds: 10, width: 160, height: 96 });
  file = join(dir, 'SOURCE.mp4');
  await writeClip(file, stream);
  clip = await readFile(file);
  await rm(file);
  const all = [...boxes(clip)].map(({ type, start, end }) => ({ type, at: start - 8, end }));
  parts = all
    .filter(({ type }) => type === 'moof')
    .map(({ at, end: moofEnd }) => {
      const end = all.find((box) => box.at === moofEnd)?.end ?? 0;
      return { at, end, bytes: clip.subarray(at, end) };
    });
  assert.equal(parts.length, 10);
});
// A folder of its own: the clips beside one are asked for their init segment.
beforeEach(async () => {
  file = join(await mkdtemp(join(dir, 'camera-')), '01CLIP.mp4.part');
});
after(() => rm(dir, { recursive: true }));

const readBack = (bytes: Buffer) => readFragments(bytes).fragments;

const payload = ({ mdat }: Fragment) => createHash('sha256').update(Buffer.concat(mdat)).digest('hex');
const samplesOf = (part: Buffer) =>
  createHash('sha256')
    .update(part.subarray(part.readUInt32BE(0)))
    .digest('hex');

/** Recovers, and tries what must hold whatever the damage was.
 *  @param doubled fragments that are there once more, behind all others: the only good ones of their second, perhaps */
async function recover(bytes: Buffer, what: string, doubled: readonly Buffer[] = []) {
  const whole = Buffer.concat([bytes, ...doubled]);
  await writeFile(file, whole);
  const found = await recoverTornClip(file);
  const left = await readFile(file);
  const undamaged = parts.filter((part) => bytes.includes(part.bytes));
  if (!found) {
    const known = bytes.includes(stream.init);
    assert.ok(!known || undamaged.length === 0, `${what}: whole fragments were there, nothing was kept`);
    assert.deepEqual(left, whole, `${what}: what cannot be played stays as it is`);
    return { found, left, kept: [] };
  }
  assert.equal(found.bytes, left.length, what);
  assert.equal(found.sha256, createHash('sha256').update(left).digest('hex'), what);
  const kept = readBack(left);
  const samples = kept.map(payload);
  for (const part of undamaged)
    assert.ok(samples.includes(samplesOf(part.bytes)), `${what}: an undamaged fragment is gone`);
  assert.equal(new Set(samples).size, samples.length, `${what}: pictures are there twice`);
  for (const [index, { startMs, info }] of kept.entries()) {
    const before = kept[index - 1];
    assert.ok(info.durationTicks > 0 && startMs >= 0, what);
    if (before) assert.ok(startMs >= before.endMs - 20, `${what}: time goes back`);
  }
  assert.ok(kept.length <= parts.length, what);
  assert.ok(
    found.durationMs <= 10_000 + doubled.length * 1000,
    `${what}: ${found.durationMs} ms are claimed`,
  );
  assert.ok(left.length >= lastByte(whole) - 8, `${what}: something was cut off`);
  assert.deepEqual(
    { ...(await recoverTornClip(file)), detail: found.detail },
    { ...found, detail: found.detail },
    what,
  );
  return { found, left, kept };
}

const lastByte = (bytes: Buffer): number => {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
};
const flipped = (at: number, bit: number) => {
  const bytes = Buffer.from(clip);
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
  return bytes;
};
/** The same numbers in each run. */
function dice(seed: number) {
  let state = seed;
  return (sides: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

test('any flipped bit of the init segment is put right from the copy, bit for bit', async () => {
  for (let bit = 0; bit < stream.init.length * 8; bit += 67) {
    const { found, left } = await recover(flipped(bit >> 3, bit & 7), `bit ${bit}`);
    assert.deepEqual(left, clip, `bit ${bit}`);
    assert.match(found?.detail ?? '', /its damaged beginning was replaced by its copy/);
  }
});

test('one flipped bit in an index costs at most its own fragment', async () => {
  const { at, bytes } = parts[2] as (typeof parts)[0];
  for (let bit = 0; bit < bytes.readUInt32BE(0) * 8; bit += 7) {
    const { kept } = await recover(flipped(at + (bit >> 3), bit & 7), `bit ${bit} of the third index`);
    assert.ok(kept.length >= 9, `bit ${bit}: ${kept.length} fragments`);
  }
});

test('a flipped bit anywhere costs at most one fragment', async () => {
  for (let bit = 11; bit < clip.length * 8; bit += 4999) {
    const { kept } = await recover(flipped(bit >> 3, bit & 7), `bit ${bit}`);
    assert.ok(kept.length >= 9, `bit ${bit}`);
  }
});

test('the first and the last fragment keep their pictures when only their time was damaged', async () => {
  for (const index of [0, 4, 9]) {
    const tfdt = clip.indexOf('tfdt', parts[index]?.at, 'latin1');
    for (let bit = 16; bit < 64; bit += 3) {
      const { kept, found } = await recover(
        flipped(tfdt + 8 + (bit >> 3), bit & 7),
        `time of ${index}, bit ${bit}`,
      );
      assert.equal(kept.length, 10);
      assert.ok(Math.abs((found?.durationMs ?? 0) - 10_000) <= 40, `${found?.durationMs} ms`);
    }
  }
});

test('a fragment that claims to last for days costs itself, not those behind it', async () => {
  for (const index of [0, 4, 8, 9]) {
    const bytes = Buffer.from(clip);
    const { at, end } = parts[index] as (typeof parts)[0];
    // The length of all samples, or of each: where the muxer put it.
    const tfhd = bytes.indexOf('tfhd', at, 'latin1');
    const hasDefault = (bytes.readUInt32BE(tfhd + 4) & 0x8) !== 0;
    const trun = bytes.indexOf('trun', at, 'latin1');
    const length = hasDefault ? tfhd + 12 : trun + 16 + ((bytes.readUInt32BE(trun + 4) & 0x4) !== 0 ? 4 : 0);
    assert.ok(length < end);
    bytes.writeUInt32BE(0x7fff_ffff, length);
    const { kept } = await recover(bytes, `length of ${index}`);
    assert.equal(kept.length, 9, `length of ${index}`);
  }
});

test('a page of zeros costs the fragments that it lies in, wherever it lies', async () => {
  for (let at = 0; at < clip.length; at += 4096) {
    const bytes = Buffer.from(clip).fill(0, at, Math.min(at + 4096, clip.length));
    const { kept, found } = await recover(bytes, `page at ${at}`);
    const hit = parts.filter((part) => part.at < at + 4096 && part.end > at);
    assert.equal(kept.length, 10 - hit.length, `page at ${at}`);
    assert.match(found?.detail ?? '', new RegExp(`kept ${kept.length} of 10 fragments`));
  }
});

test('a file cut anywhere, in front or behind, keeps its whole fragments', async () => {
  const roll = dice(1);
  for (let round = 0; round < 90; round++) {
    const from = round % 3 === 0 ? 0 : roll(clip.length / 2);
    const to = round % 3 === 1 ? clip.length : from + roll(clip.length - from);
    await recover(clip.subarray(from, to), `bytes ${from} to ${to}`);
  }
});

test('swapped pages, doubled fragments, garbage between and behind: every whole fragment is kept once', async () => {
  const roll = dice(2);
  const page = (bytes: Buffer, index: number) => bytes.subarray(index * 4096, (index + 1) * 4096);
  for (let round = 0; round < 150; round++) {
    let bytes = Buffer.from(clip);
    const damage = 1 + roll(3);
    const doubled: Buffer[] = [];
    for (let hit = 0; hit < damage; hit++) {
      const kind = roll(5);
      const at = roll(bytes.length);
      const part = (parts[roll(parts.length)] as (typeof parts)[0]).bytes;
      if (kind === 0) {
        const pages = Math.floor(bytes.length / 4096);
        const [one, other] = [roll(pages), roll(pages)];
        const kept = Buffer.from(page(bytes, one));
        page(bytes, other).copy(bytes, one * 4096);
        kept.copy(bytes, other * 4096);
      } else if (kind === 1) doubled.push(part);
      else if (kind === 2) {
        const garbage = Buffer.from(Array.from({ length: 1 + roll(30) }, () => roll(256)));
        const between = parts[roll(parts.length)]?.at ?? 0;
        bytes = Buffer.concat([bytes.subarray(0, between), garbage, bytes.subarray(between)]);
      } else if (kind === 3) bytes.writeUInt8(roll(256), at);
      else bytes = Buffer.concat([bytes, Buffer.alloc(roll(9000), roll(256))]);
    }
    await recover(bytes, `round ${round}`, doubled);
  }
});

test('a clip without its copy takes the init segment of the nearest clip of its camera, and says of which', async () => {
  const bare = Buffer.concat([stream.init, ...parts.map(({ bytes }) => bytes)]);
  await writeFile(join(file, '..', '00OLDER.mp4'), Buffer.alloc(5000));
  await writeFile(join(file, '..', '01CLIQ.mp4'), clip);
  const { found } = await recover(Buffer.from(bare).fill(0, 0, stream.init.length), 'no init segment');
  assert.match(found?.detail ?? '', /replaced by that of clip 01CLIQ/);
  assert.equal((await decode(file)).complaints, '');
});

test('a clip whose init segment nobody knows stays as it is', async () => {
  const bytes = Buffer.concat(parts.map((part) => part.bytes));
  await writeFile(file, bytes);
  assert.equal(await recoverTornClip(file), undefined);
  assert.deepEqual(await readFile(file), bytes);
});

test('what is recovered decodes without a complaint, all but what is missing', async () => {
  const third = parts[2] as (typeof parts)[0];
  const damaged: readonly [string, Buffer, number][] = [
    ['first page zeroed', Buffer.from(clip).fill(0, 0, 4096), 0],
    ['bit in the third index', flipped(third.at + 5, 3), 1],
    ['two pages zeroed', Buffer.from(clip).fill(0, third.at + 2000, third.at + 10_192), 0],
    ['torn', clip.subarray(0, clip.length - 777), 1],
    ['last fragment doubled', Buffer.concat([clip, (parts[9] as typeof third).bytes]), 0],
    ['its beginning cut off', clip.subarray(third.at + 3), 3],
    [
      'garbage of three bytes between',
      Buffer.concat([clip.subarray(0, third.at), Buffer.alloc(3, 7), clip.subarray(third.at)]),
      0,
    ],
  ];
  for (const [what, bytes, lost] of damaged) {
    const { kept, found } = await recover(bytes, what);
    if (lost > 0) assert.equal(kept.length, 10 - lost, what);
    const { pictures, complaints, times } = await decode(file);
    assert.equal(complaints, '', what);
    assert.equal(pictures, kept.length * 10, what);
    const lastsMs = ((times.at(-1) ?? 0) - (times[0] ?? 0)) * 1000 + 100;
    assert.ok(
      Math.abs(lastsMs - (found?.durationMs ?? 0)) < 60,
      `${what}: ${lastsMs} of ${found?.durationMs} ms`,
    );
  }
});
