import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach } from 'node:test';
import { loadApp } from '../../../../../../cloud-fn/local/functions-host/core-api.ts';
import {
  createFunctionsHost,
  type FunctionsHost,
} from '../../../../../../cloud-fn/local/functions-host/functions-host.ts';
import { hostSettingsOf } from '../../../../../../cloud-fn/local/functions-host/host-json.ts';
import { createVirtualHostClock } from '../../../../../fakes/cloud/virtual-host-clock.ts';

const APP = new URL('../../../../../fakes/apps/durable-sample.ts', import.meta.url).pathname;
export const START_MS = Date.UTC(2026, 10, 21, 12);

const app = await loadApp(APP);
export const { effects, deployed, gate } = (await import(
  APP
)) as typeof import('../../../../../fakes/apps/durable-sample.ts');

/** A host with the sample app, for all tests of a file; time passes when a test says so. */
export function useDurableHost() {
  let dataDir = '';
  let host: FunctionsHost;
  let base = '';
  const time = createVirtualHostClock(START_MS);

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'dacha-functions-'));
    await boot();
  });
  after(async () => {
    await host.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  beforeEach(() => {
    effects.length = 0;
  });

  async function boot() {
    host = createFunctionsHost({
      app,
      dataDir,
      hostSettings: hostSettingsOf({}),
      appSettings: {},
      clock: time.clock,
      log: () => undefined,
    });
    base = `http://127.0.0.1:${await host.start(0)}`;
  }
  const reboot = async () => {
    await host.stop();
    await boot();
  };
  const pass = (ms: number) => time.advance(ms, () => host.atRest());
  const manage = (path: string, init: RequestInit = {}) =>
    fetch(
      `${base}/runtime/webhooks/durabletask/${path}${path.includes('?') ? '&' : '?'}code=${host.keys.durableTask}`,
      init,
    );
  const start = async (name: string, id: string, input?: unknown) => {
    const response = await manage(`orchestrators/${name}/${id}`, {
      method: 'POST',
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    });
    await host.atRest();
    return response.status;
  };
  const raise = async (id: string, event: string, data: unknown) => {
    const response = await manage(`instances/${id}/raiseEvent/${event}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(data),
    });
    await host.atRest();
    return response.status;
  };
  const statusOf = async (id: string) =>
    (await (await manage(`instances/${id}`)).json()) as {
      runtimeStatus: string;
      output: unknown;
      customStatus: unknown;
    };
  const countOf = (id: string, type: number) =>
    host.history.eventsOf(id).filter((event) => event.EventType === type).length;

  return {
    ...{ time, boot, reboot, pass, manage, start, raise, statusOf, countOf },
    get host() {
      return host;
    },
    get base() {
      return base;
    },
  };
}
