/** First and last byte to send, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Reads a Range header (RFC 9110, section 14) for a body of `size` bytes.
 *  @returns the range; `all` when the header is absent, malformed or asks for several ranges, all of which a
 *  server may answer with the whole body; `unsatisfiable` when it lies behind the end (416) */
export function parseRange(header: string | undefined, size: number): ByteRange | 'all' | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? '');
  if (!match) return 'all';
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return 'all';
  if (from === '') {
    const suffix = Math.min(Number(to), size);
    return suffix === 0 ? 'unsatisfiable' : { first: size - suffix, last: size - 1 };
  }
  const first = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < first) return 'all';
  return first >= size ? 'unsatisfiable' : { first, last };
}
