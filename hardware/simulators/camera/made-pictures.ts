import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One coded picture as a camera sends it. */
export interface MadePicture {
  /** NAL units without start codes: parameter sets and SEI first, then its slices. */
  readonly units: readonly Buffer[];
  readonly key: boolean;
  /** When it is shown, in pictures since the beginning of its take, B pictures counted as they are seen. */
  readonly shown: number;
  /** Default H.264. */
  readonly coding?: MadeCoding;
}

export type MadeCoding = 'H264' | 'H265';

export interface PicturesOptions {
  /** Default H.264. With H.265, open groups begin with CRA pictures. */
  readonly coding?: MadeCoding;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly seconds?: number;
  /** Pictures from one key frame to the next; default a second. */
  readonly gop?: number;
  /** B pictures between two others; default none. */
  readonly bPictures?: number;
  /** Slices of each picture; default 1. Of H.264 only: x265 fails at it. */
  readonly slices?: number;
  /** Key frames are recovery points instead of IDR pictures, but for the first. */
  readonly openGops?: boolean;
  /** More options of x264 or x265, `name=value:name=value`: those of the picture parameter set among them. */
  readonly x264?: string;
  /** Kilobits a second; default what the scene needs. */
  readonly kbps?: number;
}

const DELIMITER = { H264: 9, H265: 35 } as const;
const SPS = { H264: 7, H265: 33 } as const;
/** VPS, SPS, PPS. */
const SETS: Readonly<Record<MadeCoding, readonly number[]>> = { H264: [7, 8], H265: [32, 33, 34] };
const SLICE = 1;
const KEY_SLICE = 5;

/** Encodes a scene in which something always moves: a bright box crosses a still, textured background every two
 *  seconds. */
export async function makePictures(options: PicturesOptions = {}): Promise<MadePicture[]> {
  const { width = 640, height = 360, fps = 10, seconds = 4, gop = fps, bPictures = 0, slices = 1 } = options;
  const { coding = 'H264' } = options;
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-made-'));
  try {
    const file = join(dir, 'made.mp4');
    const size = `${width}x${height}`;
    const box = `color=c=white:s=${even(width / 6)}x${even(height / 2)}:r=${fps}`;
    const graph = [
      `nullsrc=s=${size}:r=${fps}:d=${1 / fps},geq=lum='110+30*sin(X/13)*cos(Y/17)':cb=128:cr=128`,
      `loop=loop=-1:size=1:start=0,setpts=N/(${fps}*TB),trim=duration=${seconds}[still];${box}[box]`,
    ].join(',');
    const moved = `${graph};[still][box]overlay=x='-w+mod(t,2)/2*(W+w)':y=H/4:shortest=1,format=yuv420p[out]`;
    const parameters = [
      coding === 'H264'
        ? `b-pyramid=none:sliced-threads=0:slices=${slices}`
        : `b-pyramid=0:info=0:log-level=none:pools=none:frame-threads=1`,
      `bframes=${bPictures}:scenecut=0`,
      `keyint=${gop}:min-keyint=${gop}:open-gop=${options.openGops ? 1 : 0}:repeat-headers=1`,
      ...(options.x264 ? [options.x264] : []),
    ].join(':');
    const rate = options.kbps === undefined ? ['-crf', '28'] : bitrate(options.kbps);
    const encoder = coding === 'H264' ? 'x264' : 'x265';
    const codec = ['-c:v', `lib${encoder}`, '-preset', 'veryfast', ...rate, `-${encoder}-params`, parameters];
    const input = ['-nostdin', '-v', 'error', '-y', '-filter_complex', moved, '-map', '[out]'];
    await run('ffmpeg', [...input, ...codec, '-threads', '1', file], { timeout: 120_000 });
    return await readPictures(file, fps, coding);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const even = (pixels: number) => Math.floor(pixels / 2) * 2;
const bitrate = (kbps: number) => ['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${kbps}k`];

/** Cuts a file into the pictures a camera would send, in the order it would send them. */
async function readPictures(file: string, fps: number, coding: MadeCoding): Promise<MadePicture[]> {
  const annexB = `${file}.${coding.toLowerCase()}`;
  const name = coding === 'H264' ? 'h264' : 'hevc';
  const filters = `${name}_mp4toannexb,${name}_metadata=aud=insert`;
  await run('ffmpeg', [
    '-nostdin',
    '-v',
    'error',
    '-i',
    file,
    '-c',
    'copy',
    '-bsf:v',
    filters,
    '-f',
    name,
    annexB,
  ]);
  const times = (await probeLines(file, 'packet=pts_time')).map((line) => Number.parseFloat(line));
  const first = Math.min(...times);
  const pictures = splitPictures(splitUnits(await readFile(annexB)), coding);
  if (pictures.length !== times.length)
    throw new Error(`${pictures.length} pictures where ffprobe counts ${times.length}`);
  return pictures.map((units, index) => ({
    units,
    key: units.some((unit) => typeOf(unit, coding) === SPS[coding]),
    coding,
    shown: Math.round(((times[index] as number) - first) * fps),
  }));
}

/** What ffprobe shows of a file, a line for each packet or frame: values with commas between them.
 *  @param entries as its option `-show_entries` has them */
export async function probeLines(file: string, entries: string): Promise<string[]> {
  const show = ['-v', 'error', '-show_entries', entries, '-of', 'csv=p=0', file];
  const { stdout } = await run('ffprobe', show, { maxBuffer: 1 << 26 });
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : line.replace(/,$/, '')));
}

/** Type of a NAL unit (table 7-1 of ITU-T H.264 and of H.265). */
export const typeOf = (unit: Buffer, coding: MadeCoding = 'H264'): number =>
  coding === 'H264' ? (unit[0] ?? 0) & 0x1f : ((unit[0] ?? 0) >> 1) & 0x3f;
export const isSlice = (unit: Buffer): boolean => [SLICE, KEY_SLICE].includes(typeOf(unit));

/** The parameter sets of a picture, in their order. */
export const setsOf = ({ units, coding = 'H264' }: MadePicture): Buffer[] =>
  units.filter((unit) => SETS[coding].includes(typeOf(unit, coding)));

function splitPictures(units: Buffer[], coding: MadeCoding): Buffer[][] {
  const pictures: Buffer[][] = [];
  for (const unit of units) {
    if (typeOf(unit, coding) === DELIMITER[coding]) pictures.push([]);
    else pictures.at(-1)?.push(unit);
  }
  return pictures;
}

/** NAL units of an Annex B stream, without start codes and the zeros before them. */
export function splitUnits(stream: Buffer): Buffer[] {
  const units: Buffer[] = [];
  const code = Buffer.from([0, 0, 1]);
  let at = stream.indexOf(code);
  while (at >= 0) {
    const next = stream.indexOf(code, at + 3);
    let end = next < 0 ? stream.length : next;
    while (end > at + 3 && stream[end - 1] === 0) end--;
    units.push(stream.subarray(at + 3, end));
    at = next;
  }
  return units;
}

/** The same pictures, each with so many bytes beside what it shows: an SEI message of user data (ITU-T H.264, D.1.7). */
export function withBallast(pictures: readonly MadePicture[], bytes: number): MadePicture[] {
  const size = Buffer.alloc(Math.floor(bytes / 255) + 1, 255);
  size[size.length - 1] = bytes % 255;
  const ballast = Buffer.concat([Buffer.from([6, 5]), size, Buffer.alloc(bytes, 0x55), Buffer.from([0x80])]);
  return pictures.map((picture) => {
    const at = picture.units.findIndex(isSlice);
    return { ...picture, units: picture.units.toSpliced(at, 0, ballast) };
  });
}

/** The same pictures, whose parameter sets do not say how many there are a second, as those of many cameras: without
 *  the usability information at the end of the sequence parameter set (ITU-T H.264, 7.3.2.1.1). */
export function withoutRate(pictures: readonly MadePicture[]): MadePicture[] {
  return pictures.map((picture) => ({
    ...picture,
    units: picture.units.map((unit) => (typeOf(unit) === 7 ? cutUsability(unit) : unit)),
  }));
}

function cutUsability(sps: Buffer): Buffer {
  const bits = [...sps].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let at = 32;
  const take = (count: number) => Number.parseInt(bits.slice(at, (at += count)) || '0', 2);
  const skip = () => {
    const zeros = bits.indexOf('1', at) - at;
    at += zeros;
    return take(zeros + 1) - 1;
  };
  skip();
  // High profile: chroma format, depths, transform bypass, no scaling matrix.
  if (sps[1] === 100) {
    for (let left = 3; left > 0; left--) skip();
    at += 2;
  }
  skip();
  if (skip() === 0) skip();
  skip();
  at += 1;
  skip();
  skip();
  if (take(1) === 0) at += 1;
  at += 1;
  if (take(1) === 1) for (let left = 4; left > 0; left--) skip();
  // No usability information, then the stop bit.
  const kept = `${bits.slice(0, at)}01`;
  const bytes = kept.padEnd(Math.ceil(kept.length / 8) * 8, '0').match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

/** Says that a number follows: the identifier of an SEI message of user data (ITU-T H.264, D.1.7). */
const NAME = Buffer.from('dachawatch count');
const DIGITS = 10;
const SEI = 6;
const PARAMETER_SETS: readonly number[] = [7, 8];
const USER_DATA = 5;

/** The same picture of H.264, with its number behind its parameter sets: no two pictures of a stream are alike. */
export function numbered(picture: MadePicture, number: number): MadePicture {
  const digits = Buffer.from(String(number).padStart(DIGITS, '0'));
  const header = Buffer.from([SEI, USER_DATA, NAME.length + DIGITS]);
  const unit = Buffer.concat([header, NAME, digits, Buffer.from([0x80])]);
  const at = picture.units.findIndex((one) => !PARAMETER_SETS.includes(typeOf(one)));
  return { ...picture, units: picture.units.toSpliced(at, 0, unit) };
}

/** @returns the number that a NAL unit says; undefined: it is another unit */
export function numberOf(unit: Buffer): number | undefined {
  const at = 3 + NAME.length;
  if (typeOf(unit) !== SEI || !unit.subarray(3, at).equals(NAME)) return undefined;
  return Number(unit.toString('latin1', at, at + DIGITS));
}
