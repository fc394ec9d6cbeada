/** What the hub tells, as lines for a person. */
import { isJson, type Json } from '@dachawatch/contracts';
import type { Twin } from './client.ts';
import { printable, word } from './text.ts';

const LINE_LIMIT = 400;

/** Without what the hub adds to every property. */
export const withoutMetadata = (properties: Json): Json =>
  Object.fromEntries(Object.entries(properties).filter(([key]) => key !== '$metadata'));

export function deviceLine(twin: Twin): string {
  const { desired, reported } = twin.properties;
  const version = word(desired['$version']);
  const answered = reported['desiredVersion'];
  const refused = Array.isArray(reported['refused']) ? reported['refused'].length : 0;
  const state = twin.connectionState === 'Connected' ? 'connected   ' : 'disconnected';
  const follows =
    answered === undefined || answered === 0
      ? 'it has never answered'
      : `it has answered version ${word(answered)}${refused > 0 ? ` and refused ${refused}` : ''}`;
  const disabled = twin.status === 'disabled' ? '; disabled' : '';
  return printable(`${twin.deviceId}  ${state}  desired version ${version}; ${follows}${disabled}`);
}

/** One event of the watch stream. */
export function eventLine(event: Json): string {
  if (event['kind'] === 'gap')
    return `${word(event['missed'])} events were dropped before they could be read`;
  const time = new Date(word(event['atUtc'])).toTimeString().slice(0, 8);
  const line = printable(`${time}  ${word(event['deviceId'])}  ${whatHappened(event)}`);
  return line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT - 1)}…` : line;
}

function whatHappened(event: Json): string {
  if (event['kind'] === 'connection') return word(event['state']);
  if (event['kind'] !== 'telemetry')
    return `${word(event['kind'])} ${word(event['version'])}  ${leaves(event['patch'])}`;
  const body = event['body'];
  if (isJson(body) && typeof body['event'] === 'string') return `${body['event']}  ${leaves(body['data'])}`;
  return `telemetry  ${JSON.stringify(body ?? event['bodyBase64'])}`;
}

/** `/power/state="on-mains"`; null is a property that went. */
function leaves(value: unknown, path = ''): string {
  if (!isJson(value)) return value === undefined ? '' : `${path}=${JSON.stringify(value)}`;
  return Object.entries(value)
    .map(([key, inner]) => leaves(inner, `${path}/${key}`))
    .join(' ');
}
