import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ensureCertificates } from '../../cloud-fn/local/certificates.ts';

export interface HeldBlob {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}
/** What is answered in place of storage's own answer; 'nothing' leaves the request open, 'reset' ends its connection. */
export type OtherAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** False: without its length, as some proxies leave it. */
      readonly sized?: false;
    }
  | 'nothing'
  | 'reset';

/** As much of blob storage as our client asks for, on loopback, in memory, behind TLS with a certificate of our own. */
export interface BlobService {
  readonly host: string;
  readonly ca: string;
  /** By path, without the query. */
  readonly blobs: Map<string, HeldBlob>;
  readonly asked: readonly Asked[];
  /** Asked first for every request: what it returns is the answer. */
  instead: ((request: Asked) => OtherAnswer | undefined) | undefined;
  stop(): Promise<void>;
}

/** What storage puts on every answer. */
export const OF_STORAGE = { 'x-ms-request-id': '1', 'x-ms-version': '2025-11-05' };

/** @param dir for its certificate */
export async function startBlobService(dir: string): Promise<BlobService> {
  const { caFile, certFile, keyFile } = await ensureCertificates(dir, []);
  const blobs = new Map<string, HeldBlob>();
  const staged = new Map<string, Map<string, Buffer>>();
  const asked: Asked[] = [];

  function answer({ method, path, query, headers, body }: Asked): [number, Record<string, string>, Buffer?] {
    const held = blobs.get(path);
    const refuse = (status: number, code: string): [number, Record<string, string>] => [
      status,
      { 'x-ms-error-code': code },
    ];
    if (method === 'PUT' && query.get('comp') === 'block') {
      if (headers['content-md5'] !== createHash('md5').update(body).digest('base64'))
        return refuse(400, 'Md5Mismatch');
      const blocks = staged.get(path) ?? new Map<string, Buffer>();
      staged.set(path, blocks.set(query.get('blockid') ?? '', body));
      return [201, {}];
    }
    if (method === 'PUT' && query.get('comp') === 'blocklist') {
      if (held && headers['if-none-match'] === '*') return refuse(409, 'BlobAlreadyExists');
      const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id]) => id ?? '');
      const parts = ids.map((id) => staged.get(path)?.get(id));
      if (parts.some((part) => part === undefined)) return refuse(400, 'InvalidBlockList');
      const kept = Object.entries(headers).filter(
        ([name]) => name.startsWith('x-ms-meta-') || name.startsWith('x-ms-blob-content-'),
      );
      const renamed = kept.map(([name, value]) => [name.replace('x-ms-blob-', ''), String(value)]);
      blobs.set(path, { body: Buffer.concat(parts as Buffer[]), headers: Object.fromEntries(renamed) });
      return [201, {}];
    }
    if (method === 'GET' && query.get('comp') === 'blocklist') {
      const blocks = staged.get(path);
      if (!blocks) return refuse(404, 'BlobNotFound');
      const list = [...blocks].map(
        ([id, { length }]) => `<Block><Name>${id}</Name><Size>${length}</Size></Block>`,
      );
      const text = `<?xml version="1.0"?><BlockList><UncommittedBlocks>${list.join('')}</UncommittedBlocks></BlockList>`;
      return [200, { 'content-type': 'application/xml' }, Buffer.from(text)];
    }
    if (method === 'PUT') {
      blobs.set(path, { body, headers: {} });
      return [201, {}];
    }
    if (!held) return refuse(404, 'BlobNotFound');
    const etag = `"${createHash('md5').update(held.body).digest('hex')}"`;
    if (headers['if-match'] !== undefined && headers['if-match'] !== etag)
      return refuse(412, 'ConditionNotMet');
    const range = /^bytes=(\d+)-(\d*)$/.exec(String(headers['x-ms-range'] ?? headers.range ?? ''));
    const from = Number(range?.[1] ?? 0);
    const part = held.body.subarray(from, range?.[2] ? Number(range[2]) + 1 : undefined);
    const { 'content-md5': md5, ...others } = held.headers;
    // That of a part would be another one.
    const whole = range || md5 === undefined ? {} : { 'content-md5': md5 };
    return [range ? 206 : 200, { ...others, ...whole, etag, 'content-length': String(part.length) }, part];
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const url = new URL(request.url ?? '/', 'https://loopback');
    const { method = 'GET', headers } = request;
    const one = { method, path: url.pathname, query: url.searchParams, headers, body: Buffer.concat(parts) };
    asked.push(one);
    const other = service.instead?.(one);
    if (other === 'nothing') return;
    if (other === 'reset') {
      request.socket.destroy();
      return;
    }
    const [status, more, body] = other
      ? [other.status, other.headers ?? {}, Buffer.from(other.body ?? '')]
      : answer(one);
    response.writeHead(status, {
      ...(other?.sized === false ? {} : { 'content-length': String(body?.length ?? 0) }),
      ...(other ? more : { ...OF_STORAGE, ...more }),
    });
    response.end(method === 'HEAD' ? undefined : body);
  }

  const server = createServer(
    { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    (request, response) => void serve(request, response).catch(() => request.socket.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const service: BlobService = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: readFileSync(caFile, 'utf8'),
    blobs,
    asked,
    instead: undefined,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return service;
}
