import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';

/** One whole answer. A body that is a file is sent by its own route, see `file-answer.ts`. */
export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array;
}

/** Bodies smaller than this fit a packet anyway. */
const WORTH_PACKING_BYTES = 1_200;

/** A problem document (RFC 9457): `title` is the sentence for a person.
 *  @param code stable and searchable, like `clip-gone` */
export function problem(
  status: number,
  code: string,
  title: string,
  headers: OutgoingHttpHeaders = {},
): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers },
    body: Buffer.from(JSON.stringify({ type: `urn:dachawatch:problem:${code}`, title, status })),
  };
}

/** What a body needs to be sent: both forms, and the tag that says it has not changed. */
export interface Content {
  readonly type: string;
  readonly plain: Uint8Array;
  readonly packed: Uint8Array | undefined;
  /** Weak: the packed and the plain form share it. */
  readonly etag: string;
}

export function content(type: string, text: string | Uint8Array): Content {
  const plain = typeof text === 'string' ? Buffer.from(text) : text;
  const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  const packed = plain.byteLength >= WORTH_PACKING_BYTES ? gzipSync(plain) : undefined;
  return { type, plain, packed, etag: `W/"${hash}"` };
}

/** 200 with the content, packed when the browser takes it, or 304 when the browser has it. */
export function answerContent(
  { type, plain, packed, etag }: Content,
  request: { readonly ifNoneMatch: string | undefined; readonly acceptEncoding: string | undefined },
  headers: OutgoingHttpHeaders = {},
): Answer {
  const common = { ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding', ...headers };
  if (matchesTag(request.ifNoneMatch, etag)) return { status: 304, headers: common, body: Buffer.alloc(0) };
  const usePacked = packed !== undefined && takesGzip(request.acceptEncoding);
  return {
    status: 200,
    headers: { ...common, 'Content-Type': type, ...(usePacked ? { 'Content-Encoding': 'gzip' } : {}) },
    body: usePacked ? packed : plain,
  };
}

/** Whether an If-None-Match header names this tag; weak comparison. */
export function matchesTag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const bare = (tag: string) => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => bare(tag) === bare(etag));
}

function takesGzip(acceptEncoding: string | undefined): boolean {
  return (acceptEncoding ?? '').split(',').some((part) => {
    const [coding = '', ...params] = part.split(';').map((text) => text.trim().toLowerCase());
    return coding === 'gzip' && !params.some((param) => /^q=0(\.0*)?$/.test(param));
  });
}
