/** The service side of an IoT Hub over HTTPS: what Azure documents for its REST API 2021-04-12, and the watch stream
 *  of the local hub. */
import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import type { Json } from '@dachawatch/contracts';
import { hubFailure, linkFailure } from './failures.ts';
import type { HubPlace } from './place.ts';
import type { Patch } from './patch.ts';
import { ANSWER_MS, answerTo, createHubRequests, readAll } from './requests.ts';

/** Pages of a query: a hub with more devices than these is not for a command line. */
const PAGES = 100;
/** The local hub sends an empty line every 15 s. */
const SILENCE_MS = 45_000;

export interface Twin extends Json {
  readonly deviceId: string;
  readonly connectionState?: string;
  readonly status?: string;
  readonly properties: { readonly desired: Json; readonly reported: Json };
}

export interface MethodAnswer {
  readonly status: number;
  readonly payload: unknown;
}

export type HubClient = ReturnType<typeof createHubClient>;

export function createHubClient(place: HubPlace) {
  const { ask, stream } = createHubRequests(place);
  const device = (id: string) => encodeURIComponent(id);

  return {
    /** Twins of all devices, by their ids. */
    async list(): Promise<Twin[]> {
      const found: Twin[] = [];
      let continuation: string | undefined;
      for (let page = 0; page < PAGES; page += 1) {
        const { body, headers } = await ask('POST', '/devices/query', {
          body: { query: 'SELECT * FROM devices' },
          headers: {
            'x-ms-max-item-count': '100',
            ...(continuation === undefined ? {} : { 'x-ms-continuation': continuation }),
          },
        });
        found.push(...(body as Twin[]));
        const next = headers['x-ms-continuation'];
        if (typeof next !== 'string' || next === '') break;
        continuation = next;
      }
      return found.toSorted((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
    },
    async twin(id: string): Promise<Twin> {
      return (await ask('GET', `/twins/${device(id)}`, { device: id })).body as Twin;
    },
    /** Merges a patch into the desired properties, whatever they are. */
    async setDesired(id: string, desired: Patch): Promise<Twin> {
      const headers = { 'if-match': '"*"' };
      const body = { properties: { desired } };
      return (await ask('PATCH', `/twins/${device(id)}`, { body, headers, device: id })).body as Twin;
    },
    async call(id: string, method: string, payload: unknown, timeoutS: number): Promise<MethodAnswer> {
      const { body } = await ask('POST', `/twins/${device(id)}/methods`, {
        body: { methodName: method, payload, responseTimeoutInSeconds: timeoutS },
        deadlineMs: timeoutS * 1000 + ANSWER_MS,
        device: id,
      });
      return body as MethodAnswer;
    },
    /** What happens at the local hub. Ends with the stream.
     *  @throws Failure when the hub says no, goes away or falls silent */
    async *watch(query: URLSearchParams, signal: AbortSignal): AsyncGenerator<Json> {
      const request = stream(`/dachawatch/watch?${query.toString()}`);
      const stop = () => request.destroy(new Error('stopped'));
      signal.addEventListener('abort', stop);
      try {
        request.setTimeout(SILENCE_MS, () => request.destroy(new Error('it fell silent')));
        const response = await answerTo(request, undefined);
        if (response.statusCode !== 200)
          throw hubFailure({
            status: response.statusCode ?? 0,
            body: await readAll(response),
            device: query.get('deviceId') ?? undefined,
            place,
          });
        for await (const line of linesOf(response)) if (line !== '') yield JSON.parse(line) as Json;
      } catch (error) {
        if (!signal.aborted) throw linkFailure(error, place);
      } finally {
        signal.removeEventListener('abort', stop);
        request.destroy();
      }
    },
  };
}

/** Rejects when the stream breaks. What stands behind the last end of line is not given. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let begun = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const lines = `${begun}${decoder.write(chunk)}`.split('\n');
    begun = lines.pop() ?? '';
    yield* lines;
  }
}
