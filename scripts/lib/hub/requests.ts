/** Requests to the HTTPS side of an IoT Hub, each with a token of its own. */
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { Failure } from '../../../agent/kernel/failure.ts';
import { makeSas } from '../../../cloud-fn/local/iot-hub/sas.ts';
import { hubFailure, linkFailure } from './failures.ts';
import type { HubPlace } from './place.ts';

const API = 'api-version=2021-04-12';
export const ANSWER_MS = 15_000;
const TOKEN_MS = 600_000;
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

export function createHubRequests(place: HubPlace) {
  const open = (method: string, path: string, headers: Record<string, string> = {}) =>
    https.request({
      host: place.host === 'localhost' ? '127.0.0.1' : place.host,
      servername: place.host,
      port: place.port,
      method,
      path,
      agent: false,
      ...(place.ca === undefined ? {} : { ca: place.ca }),
      headers: {
        authorization: makeSas(place.host, place.key, Date.now() + TOKEN_MS, place.policy),
        'user-agent': 'dachawatch-hub',
        ...headers,
      },
    });

  /** @throws Failure with a sentence for a person */
  async function ask(
    method: string,
    path: string,
    what: { body?: unknown; headers?: Record<string, string>; deadlineMs?: number; device?: string } = {},
  ): Promise<{ body: unknown; headers: IncomingMessage['headers'] }> {
    const text = what.body === undefined ? undefined : JSON.stringify(what.body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' };
    const request = open(method, `${path}?${API}`, { ...headers, ...what.headers });
    const deadline = setTimeout(
      () => request.destroy(new Error('it did not answer in time')),
      what.deadlineMs ?? ANSWER_MS,
    );
    try {
      const response = await answerTo(request, text);
      const body = await readAll(response);
      if (response.statusCode !== 200)
        throw hubFailure({ status: response.statusCode ?? 0, body, device: what.device, place });
      return { body: JSON.parse(body) as unknown, headers: response.headers };
    } catch (error) {
      throw linkFailure(error, place);
    } finally {
      clearTimeout(deadline);
    }
  }

  return {
    ask,
    /** A request whose answer has no end.
     *  @param path with its query, without the API's version */
    stream: (path: string) => open('GET', `${path}&${API}`),
  };
}

/** The answer to a request that is sent now. */
export const answerTo = (request: ReturnType<typeof https.request>, body: string | undefined) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', resolve);
    request.end(body);
  });

/** The whole of an answer, as text.
 *  @throws Failure when it is larger than 64 MB */
export async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_LIMIT_BYTES)
      throw new Failure('rejected', 'hub.answer-too-large', 'the answer of the hub is larger than 64 MB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
