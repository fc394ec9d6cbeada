import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../kernel/failure.ts';
import {
  fragmentTrackId,
  readHeader,
  readMoof,
  runOffset,
  type BoxHeader,
  type TrackInfo,
} from '../mp4/boxes.ts';
import { initCopyBytes, INIT_COPY_ID, readInitCopy } from '../mp4/init-copy.ts';

/** A whole `moof` + `mdat` pair of a file. Ticks are in the track's timescale. */
export interface WholeFragment {
  /** Place of the `moof`, and of the first byte behind the `mdat`. */
  readonly at: number;
  readonly end: number;
  readonly moof: Buffer;
  readonly baseTicks: number;
  readonly durationTicks: number;
  /** Nothing is missing between the fragment before and this one. */
  readonly follows: boolean;
}

export type ReadableFile = Pick<FileHandle, 'read'>;

const CHUNK_BYTES = 1 << 20;
/** More than the sample table of any fragment that `readMoof` takes. */
const MAX_MOOF_BYTES = 4 * 1024 * 1024;
/** More than any fragment of a camera. */
const MAX_MDAT_BYTES = 256 * 1024 * 1024;
/** Video never holds so many zeros in a row: its coding breaks up every three of them. */
const UNWRITTEN = Buffer.alloc(32);
/** Samples begin with the length of a NAL unit, which is never 0, and never end in zeros. */
const EDGE = Buffer.alloc(4);

const ZEROS = Buffer.alloc(CHUNK_BYTES);

const MOOF = Buffer.from('moof', 'latin1');

/** All whole fragments of a file, in its order, wherever they lie and whatever lies between them.
 *  A fragment is whole when `moof` and `mdat` are complete, belong to this track, agree about the samples, and no part
 *  of the samples was never written or is another fragment.
 *  Reads each byte a few times at most: what only looks like fragments cannot cost more than that. */
export async function wholeFragments(
  file: ReadableFile,
  size: number,
  track: TrackInfo,
): Promise<WholeFragment[]> {
  const found: WholeFragment[] = [];
  let spare = 4 * size + MAX_MOOF_BYTES;
  const mayRead = (bytes: number) => (spare -= bytes) >= 0;
  const source: Source = { file, size, track, find: createFinder(file), mayRead };
  for (let at: number | undefined = 0; at !== undefined && at < size; ) {
    const pair = await pairAt(source, at);
    if (pair && (await samplesAreWhole(source, pair))) {
      const end = found.at(-1)?.end;
      const follows = end !== undefined && (await isWholeBetween(file, end, at));
      found.push({ ...pair, follows });
      at = pair.end;
    } else at = await nextPlace(source, at + 1, size);
  }
  return withTheUsualOffset(found);
}

interface Source {
  readonly file: ReadableFile;
  readonly size: number;
  readonly track: TrackInfo;
  readonly find: ReturnType<typeof createFinder>;
  /** False when more was read than any clip needs. */
  mayRead(bytes: number): boolean;
}

type Pair = Omit<WholeFragment, 'follows'> & { readonly samplesAt: number };

/** Where the next `moof` may begin. */
async function nextPlace({ find }: Source, from: number, end: number): Promise<number | undefined> {
  const type = await find(MOOF, from + 4, end);
  return type === undefined ? undefined : type - 4;
}

async function pairAt(source: Source, at: number): Promise<Pair | undefined> {
  const { file, size, track } = source;
  try {
    const start = await bytesOf(file, at, 32);
    const box = readHeader(start);
    if (box?.type !== 'moof' || box.bytes > MAX_MOOF_BYTES || at + box.bytes > size) return undefined;
    if (start.toString('latin1', box.headerBytes + 4, box.headerBytes + 8) !== 'mfhd') return undefined;
    const mdatAt = at + box.bytes;
    const mdat = readHeader(await bytesOf(file, mdatAt, 16));
    if (mdat?.type !== 'mdat' || mdat.bytes > MAX_MDAT_BYTES || mdatAt + mdat.bytes > size) return undefined;
    if (!source.mayRead(box.bytes)) return undefined;
    const moof = await bytesOf(file, at, box.bytes);
    const { sampleBytes, baseTicks, durationTicks } = readMoof(moof, track);
    if (sampleBytes !== mdat.bytes - mdat.headerBytes || fragmentTrackId(moof) !== track.trackId)
      return undefined;
    const samplesAt = mdatAt + mdat.headerBytes;
    return { at, end: mdatAt + mdat.bytes, samplesAt, moof, baseTicks, durationTicks };
  } catch (error) {
    // An unreadable box is what is looked for here; a disk that cannot be read is not.
    if (error instanceof Failure && error.code === 'capture.box') return undefined;
    throw error;
  }
}

/** A page in the wrong place can make a fragment that swallows others. */
async function samplesAreWhole(source: Source, pair: Pair): Promise<boolean> {
  if (!(await samplesWereWritten(source, pair))) return false;
  const { samplesAt, end } = pair;
  let at = await nextPlace(source, samplesAt, end);
  for (; at !== undefined; at = await nextPlace(source, at + 1, end)) {
    const inner = await pairAt(source, at);
    if (inner && (await samplesWereWritten(source, inner))) return false;
  }
  return true;
}

/** A power cut can leave zeros where data was not yet written. */
async function samplesWereWritten(source: Source, { samplesAt, end }: Pair): Promise<boolean> {
  if (!source.mayRead(end - samplesAt)) return false;
  const first = await bytesOf(source.file, samplesAt, EDGE.length);
  const last = await bytesOf(source.file, end - EDGE.length, EDGE.length);
  if (first.equals(EDGE) || last.equals(EDGE)) return false;
  return (await source.find(UNWRITTEN, samplesAt, end)) === undefined;
}

/** Where the samples begin is the same in all fragments of a clip; one that says otherwise shows other pictures. */
function withTheUsualOffset(fragments: readonly WholeFragment[]): WholeFragment[] {
  const offset = ({ moof }: WholeFragment) => {
    const said = runOffset(moof);
    // Real muxers count from the `moof`; some write nothing or 0.
    return said === undefined || said === 0 ? said : said - moof.length;
  };
  const usual = [...Map.groupBy(fragments, offset)].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0];
  return fragments.filter((fragment) => offset(fragment) === usual);
}

/** Boxes between fragments that are no damage. `free` is what an earlier repair set aside. */
const KNOWN_BOXES = new Set(['uuid', 'free', 'skip', 'styp', 'sidx', 'emsg', 'prft', 'mfra']);

/** Whole boxes between fragments, from one place on. */
export async function* knownBoxes(file: ReadableFile, from: number, to: number): AsyncGenerator<BoxHeader> {
  for (let at = from; at + 8 <= to; ) {
    const start = await bytesOf(file, at, 8);
    const type = start.toString('latin1', 4, 8);
    const bytes = start.length < 8 ? 0 : start.readUInt32BE(0);
    if (!KNOWN_BOXES.has(type) || bytes < 8 || at + bytes > to) return;
    yield { type, headerBytes: 8, bytes };
    at += bytes;
  }
}

async function isWholeBetween(file: ReadableFile, from: number, to: number): Promise<boolean> {
  let at = from;
  for await (const { type, bytes } of knownBoxes(file, from, to)) {
    if (type === 'free') return false;
    at += bytes;
  }
  return at === to;
}

export async function endOfKnownBoxes(file: ReadableFile, from: number, to: number): Promise<number> {
  let at = from;
  for await (const box of knownBoxes(file, from, to)) at += box.bytes;
  return at;
}

/** The init segment that the clip carries a second time; undefined when there is no copy without a fault. */
export async function findInitCopy(file: ReadableFile, size: number): Promise<Buffer | undefined> {
  const find = createFinder(file);
  for (let at = 0; ; ) {
    const id = await find(INIT_COPY_ID, at, size);
    if (id === undefined) return undefined;
    at = id + INIT_COPY_ID.length;
    if (id < 8) continue;
    const bytes = initCopyBytes(await bytesOf(file, id - 8, 24));
    const init = bytes === undefined ? undefined : readInitCopy(await bytesOf(file, id - 8, bytes));
    if (init) return init;
  }
}

/** Finds bytes; what it read last is looked through again without reading it again. */
function createFinder(file: ReadableFile) {
  const window: { at: number; bytes: Buffer } = { at: 0, bytes: Buffer.alloc(0) };

  /** Place of the first occurrence that lies between `from` and `end` as a whole. */
  return async (wanted: Buffer, from: number, end: number): Promise<number | undefined> => {
    for (let at = from; at + wanted.length <= end; ) {
      if (at < window.at || at + wanted.length > window.at + window.bytes.length) {
        window.bytes = await bytesOf(file, at, CHUNK_BYTES);
        window.at = at;
      }
      const seen = window.bytes.subarray(at - window.at, end - window.at);
      const index = seen.indexOf(wanted);
      if (index >= 0) return at + index;
      if (seen.length < wanted.length) return undefined;
      at += seen.length - wanted.length + 1;
    }
    return undefined;
  };
}

/** What there is of these bytes. */
export async function bytesOf(file: ReadableFile, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** How many bytes there are up to the last one that is not zero, from `from` on. */
export async function endOfData(file: ReadableFile, from: number, size: number): Promise<number> {
  for (let end = size; end > from; ) {
    const start = Math.max(from, end - CHUNK_BYTES);
    const chunk = await bytesOf(file, start, end - start);
    // Holes can be a thousand times what was written.
    if (!chunk.equals(ZEROS.subarray(0, chunk.length)))
      for (let index = chunk.length - 1; index >= 0; index--)
        if (chunk[index] !== 0) return start + index + 1;
    end = start;
  }
  return from;
}
