const DOLLAR = 0x24;
const MAX_REQUEST_BYTES = 64 * 1024;

export interface RtspRequest {
  readonly method: string;
  readonly uri: string;
  readonly cseq: string;
  readonly authorization: string | undefined;
  /** As it came, with its body. */
  readonly bytes: Buffer;
}

export interface RequestCutterDeps {
  readonly onRequest: (request: RtspRequest) => void;
  /** A frame of RTP or RTCP between the requests, with its header. */
  readonly onInterleaved: (frame: Buffer) => void;
  /** What is begun grows larger than any request. */
  readonly onTooLarge: () => void;
}

/** Cuts what a client sends into requests and interleaved frames.
 *  @returns takes the next bytes of the connection */
export function createRequestCutter(deps: RequestCutterDeps): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);

  function take(bytes: number): Buffer {
    const taken = pending.subarray(0, bytes);
    pending = pending.subarray(bytes);
    return taken;
  }

  /** @returns whether there may be one more */
  function takeOne(): boolean {
    if (pending[0] === DOLLAR) {
      if (pending.length < 4 || pending.length < 4 + pending.readUInt16BE(2)) return false;
      deps.onInterleaved(take(4 + pending.readUInt16BE(2)));
      return pending.length > 0;
    }
    const head = pending.indexOf('\r\n\r\n');
    if (head < 0) return false;
    const text = pending.toString('latin1', 0, head);
    const end = head + 4 + Number(/^content-length:\s*(\d+)/im.exec(text)?.[1] ?? 0);
    if (pending.length < end) return false;
    const [method = '', uri = ''] = text.split(' ', 2);
    deps.onRequest({
      method,
      uri,
      cseq: /^cseq:\s*(\d+)/im.exec(text)?.[1] ?? '0',
      authorization: /^authorization:\s*(.*)$/im.exec(text)?.[1]?.trim(),
      bytes: take(end),
    });
    return pending.length > 0;
  }

  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    if (pending.length > MAX_REQUEST_BYTES) return deps.onTooLarge();
    while (takeOne());
  };
}
