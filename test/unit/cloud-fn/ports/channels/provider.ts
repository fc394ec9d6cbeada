import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { deviceCertificate } from '../../../../../agent/dashboard/access/certificate.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Answer = (response: ServerResponse) => void;

/** One for all of a process, which trusts it from now on. */
const certificate = trustedCertificate();

function trustedCertificate() {
  const dir = mkdtempSync(join(tmpdir(), 'dacha-provider-'));
  const { certificate: made } = deviceCertificate(dir, ['127.0.0.1']);
  rmSync(dir, { recursive: true, force: true });
  setDefaultCACertificates([...getCACertificates('default'), made.cert]);
  return made;
}

/** Somebody who delivers messages, over HTTPS on loopback. Plays the given answers, then says 200. */
export async function startProvider(t: TestContext, answers: readonly Answer[] = []) {
  const received: Received[] = [];
  const left = [...answers];
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) });
      const answer = left.shift();
      if (answer) answer(response);
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

export const says =
  (status: number, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
export const hangs: Answer = () => undefined;
export const breaks: Answer = (response) => void response.socket?.destroy();
