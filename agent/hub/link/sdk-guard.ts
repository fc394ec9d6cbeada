import { isJson } from '@dachawatch/contracts';
import type { Packet } from 'mqtt';
import { Failure } from '../../kernel/failure.ts';

const TWIN = '$iothub/twin/';
const TWIN_ANSWER = /^\$iothub\/twin\/res\/(\d+)\//;
const OUR_WORDS = /^twin status (\d+)/;
/** Identity, quota, time and throttling are no fault of the patch. */
const PASSING: readonly number[] = [401, 403, 404, 408, 429];

/** The SDK's own handlers of messages and methods are not used, and throw where nobody catches when a topic is
 *  malformed. They get to see nothing. */
export const isForSdk = (topic: unknown): boolean => typeof topic === 'string' && topic.startsWith(TWIN);

/** Makes twin packets such that the SDK does the right thing with them. It looks for the status of an answer in its
 *  body only, so an error with an empty body would be a success, or a throw where nobody catches; as would be a body
 *  that is not JSON.
 *  @param packet changed in place */
export function mendTwinPacket(packet: Packet): void {
  if (packet.cmd !== 'publish' || !packet.topic.startsWith(TWIN)) return;
  const status = TWIN_ANSWER.exec(packet.topic)?.[1];
  const text = packet.payload.toString();
  const body = readJson(text);
  if (status === undefined) {
    // A push. One that says nothing makes us read the twin.
    if (body === undefined) packet.payload = Buffer.from('{}');
  } else if (Number(status) >= 300) packet.payload = errorBody(Number(status), body);
  else if (body === undefined && text !== '') packet.payload = errorBody(502, { message: 'it is not JSON' });
  else if (isJson(body) && 'errorCode' in body) packet.payload = errorBody(502, body);
}

/** A failure that is `rejected` when the hub will never take that patch; undefined for every other error. */
export function twinRefusal(error: unknown): Failure | undefined {
  const match = error instanceof Error ? OUR_WORDS.exec(error.message) : null;
  const status = Number(match?.[1] ?? 0);
  if (!(error instanceof Error) || status < 400 || status > 499 || PASSING.includes(status)) return undefined;
  return new Failure('rejected', `hub.twin-${status}`, error.message, { cause: error });
}

function errorBody(status: number, body: unknown): Buffer {
  const said =
    isJson(body) && typeof body['message'] === 'string' ? `: ${body['message'].slice(0, 300)}` : '';
  return Buffer.from(JSON.stringify({ errorCode: status, message: `twin status ${status}${said}` }));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what that means
  }
}
