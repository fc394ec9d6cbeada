import { createHash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fsyncFolder } from '../../kernel/files/durable-file.ts';
import { Failure } from '../../kernel/failure.ts';
import { moveAsideUnlessFile } from '../../kernel/files/move-aside.ts';
import { readInit, rewriteMoof, type TrackInfo } from '../mp4/boxes.ts';
import { possibleInits, type KnownInit } from './clip-init.ts';
import {
  bytesOf,
  endOfData,
  endOfKnownBoxes,
  knownBoxes,
  wholeFragments,
  type WholeFragment,
} from './clip-scan.ts';
import { onOneTimeline, type PlacedFragment } from './clip-timeline.ts';

export interface RecoveredClip {
  readonly durationMs: number;
  readonly bytes: number;
  readonly sha256: string;
  /** What was damaged and what was done about it, for a person; undefined when nothing was. */
  readonly detail?: string;
}

const CHUNK_BYTES = 1 << 20;
const HEADER_BYTES = 8;
/** A box whose size needs 32 bits only. */
const MAX_FREE_BYTES = 2 ** 31;
/** Makes a clip whose writer died, or that was damaged, playable, and keeps every picture that is whole.
 *  Invariants
 *  1. Every whole fragment is kept, wherever it lies (`clip-scan.ts`), at a time that only goes forward
 *     (`clip-timeline.ts`). Samples are never changed.
 *  2. Bytes that are no whole fragment stay in the file, set aside in a `free` box that players skip: only its first 8
 *     bytes, the box's header, are overwritten. Zeros behind the last of them, and less than a header, are cut off.
 *  3. A damaged `ftyp` or `moov` is replaced by the copy that the clip carries, else by that of the nearest clip of the
 *     camera.
 *  4. It can be killed between any two writes and be run again; running it again changes nothing.
 *  Needs no room on the disk but where the init segment has no room in the file.
 *  @returns undefined when the file does not exist, or nothing in it can be played; it is left as it is then
 *  @throws the system's errors */
export async function recoverTornClip(clipFile: string): Promise<RecoveredClip | undefined> {
  moveAsideUnlessFile(besideOf(clipFile));
  await rm(besideOf(clipFile), { force: true });
  let file: FileHandle;
  try {
    file = await open(clipFile, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size: claimed, atime, mtime } = await file.stat();
    // Zeros at its end are read once, and not again by who looks for fragments.
    const size = Math.min(claimed, (await endOfData(file, 0, claimed)) + CHUNK_BYTES);
    const found = await bestReading(clipFile, file, size);
    if (!found) return undefined;
    const tooNarrow = await narrowPlaces(file, found);
    if (tooNarrow.length === 0) {
      const clip = await mend(file, size, found);
      // When it was written last is all that tells when it was recorded.
      await file.utimes(atime, mtime);
      await file.sync();
      return clip;
    }
    await widen(clipFile, file, size, tooNarrow);
  } finally {
    await file.close();
  }
  return recoverTornClip(clipFile);
}

interface Reading extends KnownInit {
  readonly track: TrackInfo;
  readonly kept: readonly PlacedFragment[];
}

/** With the first init segment that any fragment belongs to. */
async function bestReading(clipFile: string, file: FileHandle, size: number): Promise<Reading | undefined> {
  for await (const known of possibleInits(clipFile, file, size)) {
    const track = readInit(known.init);
    const whole = await wholeFragments(file, size, track);
    const kept = onOneTimeline(withoutEndless(whole, track.timescale), track.timescale);
    if (kept.length > 0) return { ...known, track, kept };
  }
  return undefined;
}

/** A length that no fragment has was damaged; all that follows would seem to be out of place. */
const withoutEndless = (whole: readonly WholeFragment[], timescale: number) =>
  whole.filter(({ durationTicks }) => durationTicks <= LONGEST_S * timescale);
/** A fragment with a camera's stall in it. */
const LONGEST_S = 60;

/** Where a box's header, or the init segment, has no room. */
async function narrowPlaces(file: FileHandle, { init, kept }: Reading): Promise<Place[]> {
  const narrow: Place[] = [];
  let from = init.length;
  for (const { at, end } of kept) {
    const gap = at - (await endOfKnownBoxes(file, from, at));
    if (gap < 0) narrow.push({ at: 0, bytes: init.length + (at > 0 ? HEADER_BYTES : 0) });
    else if (gap > 0 && gap < HEADER_BYTES) narrow.push({ at, bytes: HEADER_BYTES });
    from = end;
  }
  return narrow;
}

interface Place {
  readonly at: number;
  readonly bytes: number;
}

/** Inserts zeros: writes the wider file beside, syncs it, and gives it the clip's name. */
async function widen(
  clipFile: string,
  file: FileHandle,
  size: number,
  places: readonly Place[],
): Promise<void> {
  const beside = besideOf(clipFile);
  const wider = await open(beside, 'w', 0o600);
  try {
    let written = 0;
    let from = 0;
    for (const { at, bytes } of [...places, { at: size, bytes: 0 }]) {
      for await (const chunk of chunksOf(file, from, at)) {
        await writeAll(wider, chunk, written);
        written += chunk.length;
      }
      await writeAll(wider, Buffer.alloc(bytes), written);
      written += bytes;
      from = at;
    }
    const { atime, mtime } = await file.stat();
    await wider.utimes(atime, mtime);
    await wider.sync();
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await wider.close();
  }
  await rename(beside, clipFile);
  fsyncFolder(dirname(clipFile));
}

const besideOf = (clipFile: string) => `${clipFile}.mending`;

async function mend(file: FileHandle, size: number, reading: Reading): Promise<RecoveredClip> {
  const { init, from, track, kept } = reading;
  const whole = (await bytesOf(file, 0, init.length)).equals(init);
  if (!whole) await writeAll(file, init, 0);
  const usual = usualOf(kept);
  let setAside = 0;
  let missing = 0;
  let at = init.length;
  let ticks = 0;
  for (const { at: begin, end, moof, placeTicks, baseTicks, durationTicks } of kept) {
    setAside += await coverDamage(file, at, begin);
    missing += Math.max(0, Math.round((placeTicks - ticks) / usual.ticks));
    if (placeTicks !== baseTicks) await writeAll(file, rewriteMoof(moof, { baseTicks: placeTicks }), begin);
    at = end;
    ticks = placeTicks + durationTicks;
  }
  let end = await endOfData(file, at, size);
  if (end - (await endOfKnownBoxes(file, at, end)) < HEADER_BYTES) end = await endOfKnownBoxes(file, at, end);
  const torn = await coverDamage(file, at, end);
  // Nothing behind it tells how many there were.
  if (torn > 0) missing += Math.max(1, Math.round(torn / usual.bytes));
  setAside += torn;
  await file.truncate(end);
  const first = kept[0] as PlacedFragment;
  const last = kept.at(-1) as PlacedFragment;
  await writeAgain(file, last.at, end);
  const said = [
    setAside > 0
      ? `kept ${kept.length} of ${kept.length + missing} fragments, ${inWords(setAside)} set aside in the clip`
      : undefined,
    whole ? undefined : `its damaged beginning was replaced by ${from ? `that of clip ${from}` : 'its copy'}`,
  ].filter((part) => part !== undefined);
  return {
    durationMs: Math.round(((ticks - first.placeTicks) * 1000) / track.timescale),
    bytes: end,
    sha256: await hashOf(file, end),
    ...(said.length > 0 ? { detail: said.join('; ') } : {}),
  };
}

/** What a fragment of this clip is like. */
function usualOf(kept: readonly PlacedFragment[]): { ticks: number; bytes: number } {
  const mean = (of: (one: PlacedFragment) => number) =>
    kept.reduce((sum, one) => sum + of(one), 0) / kept.length;
  return {
    ticks: Math.max(
      1,
      mean((one) => one.durationTicks),
    ),
    bytes: mean((one) => one.end - one.at),
  };
}

const inWords = (bytes: number) => (bytes < 1000 ? `${bytes} bytes` : `${Math.round(bytes / 1000)} kB`);

/** Puts what lies between two places, and is no chain of whole boxes, into `free` boxes.
 *  @returns how many bytes are set aside there, now or by an earlier repair */
async function coverDamage(file: FileHandle, from: number, to: number): Promise<number> {
  let aside = 0;
  let begin = from;
  for await (const box of knownBoxes(file, from, to)) {
    if (box.type === 'free') aside += box.bytes;
    begin += box.bytes;
  }
  for (let at = begin; at < to; ) {
    // No rest that would be less than a header.
    const bytes = to - at > MAX_FREE_BYTES ? MAX_FREE_BYTES / 2 : to - at;
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(bytes);
    header.write('free', 4, 'latin1');
    await writeAll(file, header, at);
    aside += bytes;
    at += bytes;
  }
  return aside;
}

/** A sync that failed marks bytes as written that are not; writing them again makes the next one answer for them. Only
 *  those behind the last sync that succeeded can be meant: the last fragment. */
async function writeAgain(file: FileHandle, from: number, to: number): Promise<void> {
  let at = from;
  for await (const chunk of chunksOf(file, from, to)) {
    await writeAll(file, chunk, at);
    at += chunk.length;
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0)
      throw new Failure('exhausted', 'capture.recover.short', 'The disk takes no more bytes');
    done += bytesWritten;
  }
}

/** Pieces of at most 1 MiB, each valid until the next is asked for. */
async function* chunksOf(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(CHUNK_BYTES, to - from)));
  for (let at = from; at < to; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0)
      throw new Failure('corrupt', 'capture.recover.short', 'The clip shrank while it was read');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function hashOf(file: FileHandle, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunksOf(file, 0, bytes)) hash.update(chunk);
  return hash.digest('hex');
}
