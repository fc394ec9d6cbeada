import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type MadePicture,
  numbered,
  numberOf,
  splitUnits,
  typeOf,
} from '../../../../hardware/simulators/camera/made-pictures.ts';

const run = promisify(execFile);
const [SPS, PPS] = [7, 8];
/** Stated times are wall times, smoothed over arrivals on a machine that may be busy. */
const TIME_TOLERANCE_MS = 1_500;
/** The last picture of a clip lasts as long as the one before. */
const LENGTH_TOLERANCE_MS = 250;

/** A clip as its keeper got it. */
export interface RecordedClip {
  readonly clipId: string;
  readonly file: string;
  readonly startedMs: number;
  readonly durationMs: number;
}

/** What the camera sends. */
export interface Sent {
  readonly fps: number;
  /** From one key frame to the next: so many pictures may be in two clips that follow each other. */
  readonly group: number;
  /** The picture of that number, without its number. */
  picture(number: number): MadePicture;
}

export interface Comparison {
  /** Recorded, all clips together. */
  readonly pictures: number;
  /** Clips that begin where the one before ended, or with pictures of its last group. */
  readonly seamless: number;
  /** Pictures that are in two clips. */
  readonly doubled: number;
  /** Different parameter sets of sequences. */
  readonly formats: number;
  /** A sentence for each picture or clip that is not as it was sent. */
  readonly findings: readonly string[];
}

interface Recorded {
  readonly number: number;
  readonly sps: Buffer | undefined;
  readonly hash: string;
}

/** Compares clips with what the camera sent: each picture byte for byte, none left out or doubled within a clip, between
 *  two not more than a group of pictures doubled, and as many of them as the clips' times say. */
export async function compare(clips: readonly RecordedClip[], sent: Sent): Promise<Comparison> {
  const findings: string[] = [];
  const formats = new Set<string>();
  let pictures = 0;
  let seamless = 0;
  let doubled = 0;
  let before: { readonly clip: RecordedClip; readonly last: number } | undefined;
  for (const clip of clips.toSorted((a, b) => a.startedMs - b.startedMs)) {
    const say = (what: string) => void findings.push(`${clip.clipId}: ${what}`);
    const recorded = await picturesOf(clip.file);
    const [first] = recorded;
    const last = recorded.at(-1);
    if (!first || !last) {
      say('holds no picture that says its number');
      continue;
    }
    pictures += recorded.length;
    for (const [index, one] of recorded.entries()) {
      const picture = sent.picture(one.number);
      if (one.number !== first.number + index)
        say(`picture ${one.number} where ${first.number + index} belongs`);
      if (one.hash !== hashOf(numbered(picture, one.number).units))
        say(`picture ${one.number} is not as sent`);
      if (one.sps) formats.add(one.sps.toString('hex'));
      const sps = picture.units.find((unit) => typeOf(unit) === SPS);
      if (sps && !one.sps?.equals(sps)) say(`picture ${one.number} has other parameter sets than were sent`);
    }
    const lengthMs = (recorded.length * 1000) / sent.fps;
    if (Math.abs(lengthMs - clip.durationMs) > LENGTH_TOLERANCE_MS)
      say(`${recorded.length} pictures where ${clip.durationMs} ms are stated`);
    if (before) {
      const between = first.number - before.last - 1;
      const statedMs = clip.startedMs - before.clip.startedMs - before.clip.durationMs;
      if (between <= 0) seamless++;
      doubled += Math.max(0, -between);
      if (between < -sent.group)
        say(`begins with ${-between} pictures that ${before.clip.clipId} holds as well`);
      if (Math.abs((between * 1000) / sent.fps - statedMs) > TIME_TOLERANCE_MS)
        say(`${between} pictures are missing behind ${before.clip.clipId}, where ${statedMs} ms are stated`);
    }
    before = { clip, last: last.number };
  }
  return { pictures, seamless, doubled, formats: formats.size, findings };
}

const isContent = (unit: Buffer) => ![SPS, PPS, 9].includes(typeOf(unit));

function hashOf(units: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const unit of units.filter(isContent)) hash.update(`${unit.length} `).update(unit);
  return hash.digest('hex');
}

/** The pictures of a clip, read by FFmpeg and not by our own reader. */
async function picturesOf(file: string): Promise<Recorded[]> {
  const copy = ['-nostdin', '-v', 'error', '-f', 'mp4', '-i', file, '-c', 'copy'];
  const annexB = ['-bsf:v', 'h264_mp4toannexb', '-f', 'h264', '-'];
  const { stdout } = await run('ffmpeg', [...copy, ...annexB], { encoding: 'buffer', maxBuffer: 1 << 30 });
  const found: { number: number; units: Buffer[]; sps: Buffer | undefined }[] = [];
  let sps: Buffer | undefined;
  for (const unit of splitUnits(stdout)) {
    if (typeOf(unit) === SPS) sps = unit;
    const number = numberOf(unit);
    if (number !== undefined) found.push({ number, units: [], sps });
    const current = found.at(-1);
    if (current && isContent(unit)) current.units.push(unit);
    // They may stand between a picture's number and its slices.
    if (current && typeOf(unit) === SPS && !current.units.some((one) => [1, 5].includes(typeOf(one))))
      current.sps = unit;
  }
  return found.map(({ number, units, sps: of }) => ({ number, sps: of, hash: hashOf(units) }));
}
