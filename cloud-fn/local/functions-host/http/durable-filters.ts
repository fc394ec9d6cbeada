import { PAGE_MAX, type InstanceFilter } from '../engine/instance-queries.ts';
import { parameter, parameters } from './durable-answers.ts';
import type { HostRequest } from './http-server.ts';

/** States by their names, which mind case. */
const STATES = [
  'Pending',
  'Running',
  'Suspended',
  'Completed',
  'Failed',
  'Terminated',
  'Canceled',
  'ContinuedAsNew',
];

function timeOf(query: URLSearchParams, name: string): number | undefined {
  const ms = Date.parse(parameter(query, name) ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
const statesAsked = (query: URLSearchParams): string[] =>
  parameters(query, 'runtimeStatus')
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** What a listing selects. What cannot be read is ignored, as the extension does: a listing harms nobody. */
export function filterOf(query: URLSearchParams): InstanceFilter {
  const statuses = statesAsked(query).filter((one) => STATES.includes(one));
  return {
    createdFromMs: timeOf(query, 'createdTimeFrom'),
    createdToMs: timeOf(query, 'createdTimeTo'),
    statuses: statuses.length === 0 ? undefined : statuses,
    prefix: parameter(query, 'instanceIdPrefix'),
  };
}

/** What a purge selects, or why it selects nothing. The extension ignores what it cannot read and deletes more than
 *  was meant; here such a purge is refused. */
export function purgeFilterOf(query: URLSearchParams): InstanceFilter | { readonly refusal: string } {
  const createdFromMs = timeOf(query, 'createdTimeFrom');
  if (createdFromMs === undefined)
    return { refusal: "Please provide value for 'createdTimeFrom' parameter." };
  const unknown = statesAsked(query).find((one) => !STATES.includes(one));
  if (unknown !== undefined) return { refusal: `There is no state '${unknown}': nothing was purged.` };
  const given = parameter(query, 'createdTimeTo');
  if (given !== undefined && given !== '' && timeOf(query, 'createdTimeTo') === undefined)
    return { refusal: `'${given}' is no time for 'createdTimeTo': nothing was purged.` };
  return { ...filterOf(query), prefix: undefined };
}

/** Which page of a listing. */
export function pageOf(request: HostRequest): { readonly after: string; readonly limit: number } {
  const top = Number(parameter(request.url.searchParams, 'top') ?? Number.NaN);
  const limit = Number.isInteger(top) && top >= 0 ? Math.min(PAGE_MAX, top) : PAGE_MAX;
  const token = String(request.headers['x-ms-continuation-token'] ?? '');
  return { after: Buffer.from(token, 'base64').toString('utf8'), limit };
}
