import { setTimeout as delay } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import type { Engine } from './engines.ts';
import { normalised, type Replacements, type Step } from './transcript.ts';

const MANAGEMENT = '/runtime/webhooks/durabletask';
/** Generous: the machine may be busy with other things. */
const WITHIN_MS = 120_000;
const POLL_MS = 100;
/** How long something is watched that must not happen. */
const QUIET_MS = 3000;
/** Headers that say something about the engine. */
const HEADERS = ['location', 'retry-after', 'content-type', 'www-authenticate'];
const TOKEN = 'x-ms-continuation-token';
const FINAL = ['Completed', 'Failed', 'Terminated', 'Canceled'];

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed when it is JSON. */
  readonly body: unknown;
}
export interface Instance {
  readonly runtimeStatus: string;
  readonly output: unknown;
  readonly customStatus: unknown;
  readonly createdTime: string;
  readonly historyEvents?: readonly Readonly<Record<string, unknown>>[];
}
export interface Sent {
  readonly body?: unknown;
  /** Instead of `body`: sent as it is. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One scenario on one engine: what it does there, and what it notes of it. */
export type Stage = ReturnType<typeof createStage>;

/** @param run differs from run to run, so that nothing of an earlier one is met */
export function createStage(engine: Engine, scenario: string, run: string) {
  const steps: Step[] = [];
  const nonce = `${run}${scenario.length}`;
  const replacements: Replacements = [
    ...(/BlobEndpoint=([^;]+)/
      .exec(engine.storage ?? '')
      ?.slice(1)
      .map((one) => [one, '$blobs'] as const) ?? []),
    [engine.base, '$origin'],
    [new URL(engine.base).host, '$host'],
    [encodeURIComponent(engine.systemKey), '$key'],
    [engine.systemKey, '$key'],
    [nonce, '$run'],
  ];

  const note = (label: string, value: unknown) => {
    steps.push({ label, value: normalised(value, replacements) });
  };

  const request = async (method: string, path: string, sent: Sent = {}): Promise<Answer> => {
    const content = sent.text ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body));
    const response = await fetch(`${engine.base}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        ...sent.headers,
      },
      ...(content === undefined ? {} : { body: content }),
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const text = await response.text();
    const headers = Object.fromEntries(
      [...HEADERS, TOKEN].flatMap((name) => {
        const value = response.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    );
    return { status: response.status, headers, body: jsonOr(text) };
  };
  /** To the management API. */
  const manage = (method: string, path: string, sent?: Sent) =>
    request(method, `${MANAGEMENT}/${path}${path.includes('?') ? '&' : '?'}code=${engine.systemKey}`, sent);

  const instance = async (id: string, query = ''): Promise<Instance | undefined> => {
    const answer = await manage('GET', `instances/${encodeURIComponent(id)}${query}`);
    return answer.status === 404 ? undefined : (answer.body as Instance);
  };
  const until = async <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> => {
    for (const deadline = performance.now() + WITHIN_MS; ; await delay(POLL_MS)) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > deadline) throw new Error(`It did not happen in two minutes: ${what}.`);
    }
  };
  const finished = (id: string) =>
    until(`${id} is finished`, async () => {
      const one = await instance(id);
      return one !== undefined && FINAL.includes(one.runtimeStatus) && one;
    });
  const has = (id: string, status: string) =>
    until(`${id} is ${status}`, async () => (await instance(id))?.runtimeStatus === status);
  const says = (id: string, customStatus: unknown) =>
    until(`${id} says ${JSON.stringify(customStatus)}`, async () => {
      const one = await instance(id);
      return (
        one?.runtimeStatus === 'Running' && JSON.stringify(one.customStatus) === JSON.stringify(customStatus)
      );
    });

  const queue = (name: string) => {
    if (engine.storage === undefined) throw new Error('The storage of this engine is not known.');
    return QueueServiceClient.fromConnectionString(engine.storage).getQueueClient(name);
  };

  const call = async (label: string, method: string, path: string, sent?: Sent): Promise<Answer> => {
    const answer = await manage(method, path, sent);
    const { [TOKEN]: token, ...headers } = answer.headers;
    note(label, { ...answer, headers: token ? { ...headers, [TOKEN]: 'given' } : headers });
    return answer;
  };

  return {
    engine,
    steps,
    /** An id of this scenario and run. */
    id: (name = '') => `${scenario.replaceAll(/[^a-z0-9]+/g, '-')}-${nonce}${name && `-${name}`}`,
    note,
    request,
    manage,
    /** To the management API, with the answer noted. */
    call,
    /** One page of a listing, and what asks for the next; undefined: there is none. */
    page: async (query: string, token?: string) => {
      const headers = token === undefined ? {} : { 'x-ms-continuation-token': token };
      const { body, headers: given } = await manage('GET', `instances?${query}`, { headers });
      return { body, token: given[TOKEN] || undefined };
    },
    /** To the app's HTTP functions, with the answer noted. */
    ask: async (label: string, method: string, path: string, sent?: Sent) => {
      const code = `${path.includes('?') ? '&' : '?'}code=${engine.functionKey}`;
      const answer = await request(method, `/api/${path}${code}`, sent);
      note(label, answer);
      return answer;
    },
    start: async (name: string, id: string, input?: unknown, query = '') => {
      const answer = await manage(
        'POST',
        `orchestrators/${name}/${id}${query}`,
        input === undefined ? {} : { body: input },
      );
      if (answer.status !== 202)
        throw new Error(`${name} was not started: ${answer.status} ${JSON.stringify(answer.body)}`);
    },
    raise: async (id: string, name: string, data: unknown = null) => {
      const answer = await manage('POST', `instances/${id}/raiseEvent/${name}`, { body: data });
      if (answer.status !== 202) throw new Error(`${name} was not raised: ${answer.status}`);
    },
    instance,
    until,
    finished,
    has,
    says,
    /** Notes the state an instance is in after three seconds, in which it must not move, or has long moved.
     *  @param status awaited before */
    stays: async (id: string, status?: string) => {
      if (status !== undefined) await has(id, status);
      await delay(QUIET_MS);
      const one = await instance(id);
      note('after a while', { runtimeStatus: one?.runtimeStatus, output: one?.output });
    },
    /** Notes what the management API shows of an instance when it has finished, history included. */
    end: async (id: string, label = 'end') => {
      await finished(id);
      await call(label, 'GET', `instances/${encodeURIComponent(id)}`);
      await call(
        `${label}: history`,
        'GET',
        `instances/${encodeURIComponent(id)}?showHistory=true&showHistoryOutput=true`,
      );
    },
    /** Notes the triggers the app was called with for an instance. */
    triggers: async (id: string) => {
      const code = `?code=${engine.functionKey}`;
      const { body } = await request('GET', `/api/triggers/${encodeURIComponent(id)}${code}`);
      note('triggers', body);
    },
    send: async (name: string, text: string) => {
      await queue(name).createIfNotExists();
      await queue(name).sendMessage(Buffer.from(text).toString('base64'));
    },
    /** Texts of the messages in a queue. */
    peek: async (name: string): Promise<string[]> => {
      const { peekedMessageItems } = await queue(name).peekMessages({ numberOfMessages: 32 });
      return peekedMessageItems.map((message) => Buffer.from(message.messageText, 'base64').toString('utf8'));
    },
    /** Kills the app's process or the engine, and waits until requests are answered again. */
    kill: async (what: 'worker' | 'engine') => {
      if (engine.kill === undefined) throw new Error('The processes of this engine are out of reach.');
      await engine.kill(what);
      await until('the engine is back', async () => {
        const answer = await manage('GET', 'instances?top=1').catch(() => undefined);
        if (answer?.status !== 200) return false;
        // Of the app: unavailable as long as its process is not there, else not found.
        const app = await request('GET', '/api/nobody').catch(() => undefined);
        return app !== undefined && app.status !== 503;
      });
    },
  };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
