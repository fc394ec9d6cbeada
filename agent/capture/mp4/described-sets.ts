/** Whether an init segment describes pictures: the track's parameter sets are there and are such. */
export function hasParameterSets(init: Buffer): boolean {
  const h264 = init.indexOf('avcC', 0, 'latin1');
  if (h264 >= 0) return hasH264Sets(init, h264 + 4);
  const h265 = init.indexOf('hvcC', 0, 'latin1');
  return h265 >= 0 && hasH265Sets(init, h265 + 4);
}

/** `avcC`: version, three bytes of profile, length size, count of SPS, and the first one with its length. */
function hasH264Sets(init: Buffer, at: number): boolean {
  const sps = at + 6;
  if (sps + 3 > init.length || init.readUInt8(at) !== 1) return false;
  const pps = sps + 2 + init.readUInt16BE(sps) + 1;
  const type = (unit: number) => init.readUInt8(unit) & 0x1f;
  return pps + 3 <= init.length && type(sps + 2) === 7 && type(pps + 2) === 8;
}

const ARRAYS_AT = 22;
const MAX_UNITS = 1_000;

/** `hvcC`: version, 21 bytes about the profile, count of arrays; each has its type, its count, and units with lengths. */
function hasH265Sets(init: Buffer, from: number): boolean {
  if (from + ARRAYS_AT + 1 > init.length || init.readUInt8(from) !== 1) return false;
  const found = new Set<number>();
  let at = from + ARRAYS_AT + 1;
  let left = MAX_UNITS;
  for (let arrays = init.readUInt8(from + ARRAYS_AT); arrays > 0; arrays--) {
    if (at + 3 > init.length) return false;
    const type = init.readUInt8(at) & 0x3f;
    let units = init.readUInt16BE(at + 1);
    at += 3;
    for (; units > 0; units--) {
      if (--left < 0 || at + 4 > init.length) return false;
      const bytes = init.readUInt16BE(at);
      if (bytes < 2 || at + 2 + bytes > init.length) return false;
      if (((init.readUInt8(at + 2) >> 1) & 0x3f) !== type) return false;
      found.add(type);
      at += 2 + bytes;
    }
  }
  // A camera may send no VPS: decoders do without.
  return found.has(33) && found.has(34);
}
