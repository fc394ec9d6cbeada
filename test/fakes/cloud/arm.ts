import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deviceCertificate } from '../../../agent/dashboard/access/certificate.ts';

/** What the next requests of a kind get instead of an answer. */
export type ArmTrouble =
  | { readonly status: number; readonly code: string; readonly retryAfterS?: number }
  | 'hang'
  | 'reset';

export interface FakeArm {
  readonly endpoint: string;
  readonly ca: string;
  /** Method and path, in their order, without the query. */
  readonly requests: readonly string[];
  /** What was wrong with a request, in the eyes of Azure. */
  readonly complaints: readonly string[];
  /** Workers that run. */
  running(): number;
  /** How often one was started. */
  starts(): number;
  /** All that run are over. */
  end(): void;
  /** One runs, and nobody of us has started it. */
  startElsewhere(): void;
  /** The next requests of a method get these; then all is well. */
  plays(method: 'GET' | 'POST', troubles: readonly ArmTrouble[]): void;
  stop(): Promise<void>;
}

export const SUBSCRIPTION = '00000000-1111-2222-3333-444444444444';
const TOKEN = 'a-token-of-the-app';
export const credential = async () => ({
  getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
});
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/house`;
const JOB = `${GROUP}/providers/Microsoft.App/jobs/yolo`;
const CONTAINERS = `${GROUP}/providers/Microsoft.ContainerInstance/containerGroups/yolo`;

/** Azure Resource Manager with one Container Apps job and one container group, both called `yolo`, over HTTPS on
 *  loopback. It checks what a request must have, and answers as the published REST reference says: 200 to a look, 202 with
 *  a `Location` to a start. */
export async function startFakeArm(): Promise<FakeArm> {
  const dir = mkdtempSync(join(tmpdir(), 'dacha-arm-'));
  const { certificate } = deviceCertificate(dir, ['127.0.0.1']);
  rmSync(dir, { recursive: true, force: true });
  const requests: string[] = [];
  const complaints: string[] = [];
  const troubles = { GET: [] as ArmTrouble[], POST: [] as ArmTrouble[] };
  let [starts, running] = [0, 0];

  function answer(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? '' : JSON.stringify(body));
  }

  function check(request: IncomingMessage, url: URL): void {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) complaints.push('no token of the app');
    if (!/^\d{4}-\d\d-\d\d(-preview)?$/.test(url.searchParams.get('api-version') ?? ''))
      complaints.push(`no api-version: ${url.search}`);
  }

  function play(trouble: ArmTrouble, response: ServerResponse): void {
    if (trouble === 'hang') return;
    if (trouble === 'reset') return void response.socket?.destroy();
    const { status, code, retryAfterS } = trouble;
    const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
    answer(response, status, { error: { code, message: `${code} was played` } }, headers);
  }

  function started(response: ServerResponse, location: string, body: unknown): void {
    starts += 1;
    running += 1;
    answer(response, 202, body, { location, 'retry-after': '0' });
  }

  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://arm');
    const method = request.method === 'POST' ? 'POST' : 'GET';
    requests.push(`${request.method} ${url.pathname}`);
    check(request, url);
    const trouble = troubles[method].shift();
    if (trouble !== undefined) return play(trouble, response);
    const base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    switch (`${method} ${url.pathname}`) {
      case `GET ${JOB}/executions`: {
        const over = Array.from({ length: Math.min(5, starts - running) }, (_, n) =>
          execution(n, 'Succeeded'),
        );
        const under = Array.from({ length: running }, (_, n) =>
          execution(100 + n, n === 0 ? 'Running' : 'Processing'),
        );
        return answer(response, 200, { value: [...under, ...over] });
      }
      case `POST ${JOB}/start`:
        return started(
          response,
          `${base}${JOB}/operations/1?api-version=2025-01-01`,
          execution(starts, 'Running'),
        );
      case `GET ${CONTAINERS}`: {
        const state = running > 0 ? 'Running' : starts > 0 ? 'Succeeded' : 'Stopped';
        const properties = { provisioningState: 'Succeeded', instanceView: { state }, containers: [] };
        return answer(response, 200, { name: 'yolo', location: 'westeurope', properties });
      }
      case `POST ${CONTAINERS}/start`:
        return started(response, `${base}${CONTAINERS}/operations/1?api-version=2023-05-01`, undefined);
      default:
        if (url.pathname.includes('/operations/'))
          return answer(response, 202, undefined, { 'retry-after': '1' });
        return answer(response, 404, {
          error: { code: 'ResourceNotFound', message: 'There is no such thing.' },
        });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: certificate.cert,
    requests,
    complaints,
    running: () => running,
    starts: () => starts,
    end: () => {
      running = 0;
    },
    startElsewhere: () => {
      running += 1;
      starts += 1;
    },
    plays: (method, given) => troubles[method].push(...given),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const execution = (n: number, status: string) => ({
  name: `yolo-${n}`,
  id: `${JOB}/executions/yolo-${n}`,
  type: 'Microsoft.App/jobs/executions',
  properties: { status, startTime: '2026-12-01T00:00:00Z' },
});
