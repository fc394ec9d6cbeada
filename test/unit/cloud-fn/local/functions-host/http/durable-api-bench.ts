import type { TestContext } from 'node:test';
import { createDurableApi } from '../../../../../../cloud-fn/local/functions-host/http/durable-api.ts';
import { createInstanceQueries } from '../../../../../../cloud-fn/local/functions-host/engine/instance-queries.ts';
import { KEYS, stateOf } from '../host-bench.ts';

export const NOW_MS = Date.UTC(2026, 10, 21, 12);
export const ORIGIN = 'http://127.0.0.1:7071';
export const MANAGEMENT = '/runtime/webhooks/durabletask';

/** The API over real state. What is answered, and how often the engine was told. */
export function durableApiBench(t: TestContext) {
  const { db, history } = stateOf(t);
  let nowMs = NOW_MS;
  let kicks = 0;
  const handler = createDurableApi({
    history,
    queries: createInstanceQueries({ db }),
    engine: { kick: () => (kicks += 1) },
    hub: 'hub',
    keys: KEYS,
    nowMs: () => nowMs,
  });
  const ask = async (method: string, path: string, { body = '', headers = {} } = {}) => {
    const url = new URL(path, ORIGIN);
    const answer = await handler({ method, url, headers, body: Buffer.from(body) });
    const text = answer?.body === undefined ? undefined : (JSON.parse(String(answer.body)) as unknown);
    return { status: answer?.status, headers: answer?.headers ?? {}, body: text as never };
  };
  const manage = (method: string, path: string, more = {}) =>
    ask(method, `${MANAGEMENT}/${path}${path.includes('?') ? '&' : '?'}code=${KEYS.durableTask}`, more);
  const begin = (id: string, atMs = NOW_MS) => history.start({ id, name: 'main', input: '{"i":1}' }, atMs);
  const end = (id: string) => history.terminate(id, 'enough', NOW_MS);
  return {
    ...{ db, history, ask, manage, begin, end },
    kicks: () => kicks,
    at: (ms: number) => (nowMs = ms),
    message: async (method: string, path: string, more = {}) => {
      const { status, body } = await manage(method, path, more);
      const said = (body as { Message?: string } | undefined)?.Message ?? body ?? '';
      return `${status} ${said}`;
    },
  };
}
type Bench = ReturnType<typeof durableApiBench>;
export const ids = async ({ manage }: Bench, query: string, headers = {}) => {
  const answer = await manage('GET', `instances/?${query}`, { headers });
  return {
    ids: (answer.body as { instanceId: string }[]).map((one) => one.instanceId),
    token: answer.headers['x-ms-continuation-token'],
  };
};
