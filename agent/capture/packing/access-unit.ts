import type { CodedPicture } from './coded-pictures.ts';
import { unitsOfSets } from './known-sets.ts';

const START = 1;
const HEAD = Buffer.from([0, 0, 0, START]);

/** A picture with the start codes and parameter sets that a decoder looks for (annex B of H.264 and H.265). Writes into
 *  the free bytes in front of its units. */
export function accessUnit({ units, sets }: CodedPicture): Buffer {
  const parts = sets ? unitsOfSets(sets).flatMap((set) => [HEAD, set]) : [];
  for (const unit of units) {
    unit.writeUInt32BE(START);
    parts.push(unit);
  }
  return Buffer.concat(parts);
}
