import { Failure } from '../../kernel/failure.ts';
import { type Answer, MAX_PICTURE_BYTES, MAX_THUMBNAIL_BYTES } from '../messages.ts';

/** A picture of the sub-stream. */
export interface Snapshot {
  /** At most 90,000 bytes. */
  readonly jpeg: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
  /** When it came, wall time, Unix milliseconds. */
  readonly takenMs: number;
}

const MAX_SIDE_PX = 65_535;

/** A child's answer as a picture. A child holds native code that reads what a camera sends: its word is checked.
 *  @throws Failure transient `capture.no-picture` when it is none */
export function snapshotOf(answer: Answer): Snapshot {
  if (answer.type !== 'picture' || typeof answer.jpeg !== 'string') throw noPicture();
  const { widthPx, heightPx, takenMs } = answer;
  const jpeg = Buffer.from(answer.jpeg, 'base64');
  const whole = jpeg.length <= MAX_PICTURE_BYTES && isJpeg(jpeg);
  const sized = [widthPx, heightPx].every(
    (side) => Number.isInteger(side) && side > 0 && side <= MAX_SIDE_PX,
  );
  if (!whole || !sized || !Number.isSafeInteger(takenMs)) throw noPicture();
  return { jpeg, widthPx, heightPx, takenMs };
}

/** What a child sent as the small picture of a clip; undefined when it is none. */
export function thumbnailFrom(base64: unknown): Buffer | undefined {
  if (typeof base64 !== 'string') return undefined;
  const jpeg = Buffer.from(base64, 'base64');
  return jpeg.length <= MAX_THUMBNAIL_BYTES && isJpeg(jpeg) ? jpeg : undefined;
}

const noPicture = () =>
  new Failure(
    'transient',
    'capture.no-picture',
    'The capture process answered with something that is no picture',
  );

/** Begins and ends as one. */
export const isJpeg = (bytes: Buffer): boolean =>
  bytes.length > 4 && bytes.readUInt16BE(0) === 0xff_d8 && bytes.readUInt16BE(bytes.length - 2) === 0xff_d9;
