import { mkdtempSync, rmSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { type Agent, request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { keepPassword } from '../../../../../agent/dashboard/access/password.ts';
import { createConditions } from '../../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../../agent/kernel/log.ts';
import { createWorld, type Reply, type World } from '../dashboard-world.ts';

export const PASSWORD = 'k7m2-x9pd-4fhc-w3tn';

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** An address of this machine that it comes from. */
  readonly from?: string;
  /** Of connections that are used again; absent: a new one. */
  readonly agent?: Agent;
}

/** A page that is open to others, asked over loopback; served anew for each test of a file. */
export function serveGuarded() {
  let dir = '';
  let world: World;
  const time = { ms: 1_000 };
  const conditions = createConditions({ clock: { nowMs: () => 0 }, log: createLog('silent') });

  const begin = (changes: Parameters<typeof createWorld>[0] = {}) => {
    world = createWorld({
      host: '0.0.0.0',
      names: ['cam.example.org'],
      dataDir: dir,
      register: conditions,
      clock: { nowMs: () => Date.now(), monotonicMs: () => time.ms },
      ...changes,
    });
    return world.dashboard.start();
  };
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'dachawatch-guarded-'));
    await keepPassword(dir, PASSWORD);
    await begin();
  });
  afterEach(async () => {
    await world.dashboard.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const own = () => `https://127.0.0.1:${new URL(world.dashboard.url()).port}`;

  function ask(
    path: string,
    { method = 'GET', headers = {}, body, from, agent }: Asking = {},
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        ...{ host: '127.0.0.1', port: new URL(own()).port, path, method, headers },
        // The certificate signs itself: certificate.test.ts looks at it.
        ...{ rejectUnauthorized: false, agent: agent ?? false, timeout: 60_000 },
        ...(from === undefined ? {} : { localAddress: from }),
      };
      const asking: ClientRequest = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: {
              ...(response.headers as Record<string, string | undefined>),
              'set-cookie': response.headers['set-cookie']?.join('\n'),
            },
            body: whole,
            json: () => JSON.parse(whole.toString()),
          });
        });
      });
      asking.on('timeout', () => asking.destroy(new Error(`no answer to ${path}`)));
      asking.on('error', reject);
      asking.end(body);
    });
  }

  const post = (path: string, { headers = {}, ...more }: Asking = {}) =>
    ask(path, {
      method: 'POST',
      ...more,
      headers: { origin: own(), 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });

  const logIn = (password = PASSWORD, more: Asking = {}) =>
    post('/login', { ...more, body: new URLSearchParams({ password }).toString() });

  return {
    ...{ time, conditions, begin, ask, post, logIn, own },
    get dir() {
      return dir;
    },
    get world() {
      return world;
    },
  };
}

/** What a browser sends of a cookie that it was given. */
export const cookieOf = ({ headers }: Reply): string => (headers['set-cookie'] ?? '').split(';')[0] ?? '';
