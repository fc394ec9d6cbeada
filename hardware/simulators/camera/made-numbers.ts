import { type MadePicture, typeOf } from './made-pictures.ts';

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
