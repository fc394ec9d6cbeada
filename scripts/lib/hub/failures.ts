/** What went wrong between a command and the hub, in one sentence for a person. */
import { Failure } from '../../../agent/kernel/failure.ts';
import type { HubPlace } from './place.ts';
import { word } from './text.ts';

const nameOf = (place: HubPlace) =>
  place.dataDir === undefined ? `the hub ${place.host}` : `the local hub of ${place.dataDir}`;

/** A hub that answered and said no. */
export function hubFailure({
  status,
  body,
  device = '',
  place,
}: {
  status: number;
  body: string;
  device?: string | undefined;
  place: HubPlace;
}): Failure {
  const { code, text } = readError(body);
  const says = (sentence: string) => new Failure('rejected', `hub.http-${status}`, sentence);
  if (status === 404 && /DeviceNotOnline|404103/.test(code))
    return says(`${device} is not connected, so it cannot be called (404103)`);
  if (status === 404 && device !== '')
    return says(`the hub knows no device "${device}"; scripts/hub list names those it knows`);
  if (status === 504) return says(`${device} did not answer in time (504)`);
  if (status === 401 || status === 403)
    return says(`${nameOf(place)} does not accept the key of "${place.policy}"`);
  if (status === 429) return says(`${nameOf(place)} is asked too often; try again in a minute`);
  return says(`${nameOf(place)} refuses: ${text} (${status})`);
}

/** A hub that cannot be reached. What is a Failure already stays one. */
export function linkFailure(error: unknown, place: HubPlace): Failure {
  if (error instanceof Failure) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const unreachable = (sentence: string) =>
    new Failure('transient', 'hub.unreachable', sentence, { cause: error });
  if (place.dataDir !== undefined && code === 'ECONNREFUSED')
    return unreachable(`${nameOf(place)} is not running; start scripts/run`);
  return unreachable(`${nameOf(place)} cannot be reached: ${message || code}`);
}

/** Bodies differ: `ErrorCode:X;text`, JSON within JSON, plain text. */
function readError(body: string): { code: string; text: string } {
  let text = body;
  for (let depth = 0; depth < 2; depth += 1) {
    try {
      const { Message, message, errorCode } = JSON.parse(text) as Record<string, unknown>;
      text = `${errorCode === undefined ? '' : `ErrorCode:${word(errorCode)};`}${word(Message ?? message ?? text)}`;
    } catch {
      break; // it is the text itself
    }
  }
  const [, code = '', rest = text] = /^ErrorCode:([^;]*);(.*)$/s.exec(text) ?? [];
  return { code: `${code} ${/errorCode \d{6}/.exec(rest)?.[0] ?? ''}`, text: rest.slice(0, 300) };
}
