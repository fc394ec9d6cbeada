/** A request or an answer, taken apart as far as it must be. */
export interface RtspMessage {
  /** The first line. */
  readonly start: string;
  /** The headers, a line each. */
  readonly lines: readonly string[];
  readonly body: Buffer;
}

export interface RtspFramer {
  /** The bytes may be written over afterwards.
   *  @returns false when this is not RTSP: nothing that follows can be understood */
  push(chunk: Buffer): boolean;
}

const DOLLAR = 0x24;
const NOTHING: Buffer = Buffer.alloc(0);
const MAX_MESSAGE_BYTES = 256 * 1024;

/** Splits one direction of an RTSP connection into messages and the interleaved frames between them (RFC 2326, 10.12).
 *  Bounded: a message of more than 256 KB ends it. */
export function createRtspFramer(to: {
  /** Whole frames, as many as came together, in bytes that may be written over afterwards. */
  frames(bytes: Buffer): void;
  message(message: RtspMessage): void;
}): RtspFramer {
  let pending = NOTHING;

  /** @returns where the frames that begin at `from` end */
  function endOfFrames(from: number): number {
    let at = from;
    while (pending[at] === DOLLAR && at + 4 <= pending.length) {
      const end = at + 4 + pending.readUInt16BE(at + 2);
      if (end > pending.length) break;
      at = end;
    }
    return at;
  }

  /** @returns where the message that begins at `from` ends; undefined: it is no message, or too long */
  function takeMessage(from: number): number | undefined {
    // Some cameras send empty lines between messages.
    if (pending[from] === 0x0d || pending[from] === 0x0a) return from + 1;
    if (!/^[A-Z_/]*$/.test(pending.toString('latin1', from, from + 4))) return undefined;
    const headEnd = pending.indexOf('\r\n\r\n', from);
    if (headEnd < 0) return pending.length - from > MAX_MESSAGE_BYTES ? undefined : from;
    const [start = '', ...lines] = pending.toString('latin1', from, headEnd).split('\r\n');
    const length = Number(headerOf({ start, lines, body: pending }, 'content-length') ?? 0);
    if (!Number.isInteger(length) || length < 0 || length > MAX_MESSAGE_BYTES) return undefined;
    const end = headEnd + 4 + length;
    if (end > pending.length) return from;
    to.message({ start, lines, body: Buffer.from(pending.subarray(headEnd + 4, end)) });
    return end;
  }

  return {
    push: (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      let at = 0;
      while (at < pending.length) {
        const end = pending[at] === DOLLAR ? endOfFrames(at) : takeMessage(at);
        if (end === undefined) return false;
        if (end === at) break;
        if (pending[at] === DOLLAR) to.frames(pending.subarray(at, end));
        at = end;
      }
      const rest = pending.subarray(at);
      pending = pending === chunk ? Buffer.from(rest) : rest;
      return true;
    },
  };
}

/** @param name in lower case */
export function headerOf({ lines }: RtspMessage, name: string): string | undefined {
  const line = lines.find((one) => one.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

/** @param names in lower case */
export const withoutHeaders = (lines: readonly string[], names: readonly string[]): string[] =>
  lines.filter((line) => !names.some((name) => line.toLowerCase().startsWith(`${name}:`)));
