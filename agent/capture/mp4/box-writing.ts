/** Bytes of ISO base media boxes (ISO/IEC 14496-12). */

export const u16 = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
};
export const u32 = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
};

export function box(type: string, ...payload: readonly Buffer[]): Buffer {
  const bytes = payload.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(bytes), Buffer.from(type, 'latin1'), ...payload], bytes);
}

export const full = (type: string, version: number, flags: number, ...payload: readonly Buffer[]) =>
  box(type, u32(version * 2 ** 24 + flags), ...payload);
