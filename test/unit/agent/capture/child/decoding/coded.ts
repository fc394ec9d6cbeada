import type { CodedPicture } from '../../../../../../agent/capture/packing/coded-pictures.ts';

const SETS = { spsUnit: Buffer.from([0x67]), ppsUnits: [] } as unknown as NonNullable<CodedPicture['sets']>;

/** A coded picture whose only content is its number. */
export function codedPicture(
  n: number,
  more: { key?: boolean; bytes?: number } & Partial<CodedPicture> = {},
) {
  const { key = false, bytes = 8, ...fields } = more;
  const unit = Buffer.alloc(8);
  unit.writeUInt32BE(n, 4);
  const picture: CodedPicture = {
    units: [unit],
    bytes,
    sets: key ? SETS : undefined,
    reordered: false,
    stampMs: undefined,
    arrivedMs: n * 100,
    ...fields,
  };
  return picture;
}

/** The number of a picture as the decoder got it. */
export const numberIn = (coded: Buffer): number => coded.readUInt32BE(coded.length - 4);
