import { createHash } from 'node:crypto';
import { readHeader } from './boxes.ts';

/** A second copy of a clip's init segment, inside the clip: without `ftyp` and `moov` not one picture can be shown,
 *  and they lie where a torn first page or a bad sector takes both at once. Players skip the box.
 *  `uuid` box: header (8), the id below (16), SHA-256 of the init segment (32), the init segment. */
export const INIT_COPY_ID = Buffer.from('6461636861776174636820696e697431', 'hex');
const DIGEST_BYTES = 32;
const OVERHEAD_BYTES = 8 + INIT_COPY_ID.length + DIGEST_BYTES;
/** More than any camera's parameter sets. */
export const MAX_INIT_BYTES = 1024 * 1024;

const digestOf = (init: Buffer) => createHash('sha256').update(init).digest();

/** The box, to be written between two fragments. */
export function initCopyOf(init: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(OVERHEAD_BYTES + init.length);
  header.write('uuid', 4, 'latin1');
  return Buffer.concat([header, INIT_COPY_ID, digestOf(init), init]);
}

/** Size of the box that begins with these bytes (24 of them), if it can be a copy; undefined otherwise. */
export function initCopyBytes(start: Buffer): number | undefined {
  if (start.length < 24 || !start.subarray(8, 24).equals(INIT_COPY_ID)) return undefined;
  const bytes = start.readUInt32BE(0);
  return bytes > OVERHEAD_BYTES && bytes <= OVERHEAD_BYTES + MAX_INIT_BYTES ? bytes : undefined;
}

/** The init segment in a copy; undefined when one bit of it is not as it was written. */
export function readInitCopy(box: Buffer): Buffer | undefined {
  if (initCopyBytes(box) !== box.length || readHeader(box)?.type !== 'uuid') return undefined;
  const init = box.subarray(OVERHEAD_BYTES);
  const digest = box.subarray(8 + INIT_COPY_ID.length, OVERHEAD_BYTES);
  return digestOf(init).equals(digest) ? Buffer.from(init) : undefined;
}
