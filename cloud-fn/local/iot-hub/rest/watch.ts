import type { ServerResponse } from 'node:http';
import type { Events, HubEvent } from '../store/events.ts';
import { badRequest, RestError, type RestDeps, type Route } from './route.ts';

/** Watchers at a time. */
export const WATCHER_LIMIT = 16;
/** Events read from the ring at a time; no watcher holds more in memory than these. */
const PAGE = 20;
const ALIVE_MS = 15_000;
/** A watcher that reads nothing for so long is gone. */
const STALL_MS = 60_000;

/** `GET /dachawatch/watch`: what happens at the hub, a JSON object on each line, as long as the caller stays. The
 *  local hub's own: on Azure, telemetry is read from an Event Hubs endpoint.
 *
 *  `deviceId` only this device · `after` from behind this sequence · `since` from this many seconds ago; without
 *  either: from now · `follow=0` ends behind the newest event. The first line, `{"kind":"here","sequence":n}`, says
 *  behind which event the stream begins. An empty line comes every 15 s to show that the hub is there. `{"kind":"gap","missed":n}` stands for events that the ring has dropped before they were read. */
export function watchRoutes({ events, devices, nowMs }: RestDeps): Route[] {
  let watchers = 0;
  return [
    {
      method: 'GET',
      path: /^\/dachawatch\/watch$/,
      caller: 'service',
      handle: ({ query }) => {
        const deviceId = query.get('deviceId') ?? undefined;
        if (deviceId !== undefined && !devices.get(deviceId))
          throw new RestError(404, 'DeviceNotFound', `Device ${deviceId} is not registered`);
        const after = wholeNumber(query, 'after');
        const since = wholeNumber(query, 'since');
        const cursor =
          after ?? (since === undefined ? events.newest() : events.newestBefore(nowMs() - since * 1000));
        const follow = query.get('follow') !== '0';
        if (watchers >= WATCHER_LIMIT)
          throw new RestError(503, 'TooManyWatchers', `${WATCHER_LIMIT} watch already`);
        return {
          status: 200,
          headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' },
          stream: (response) => {
            watchers += 1;
            response.once('close', () => {
              watchers -= 1;
            });
            pour(response, { events, deviceId, cursor, follow });
          },
        };
      },
    },
  ];
}

function pour(
  response: ServerResponse,
  from: { events: Events; deviceId: string | undefined; cursor: number; follow: boolean },
): void {
  const { events, deviceId, follow } = from;
  let { cursor } = from;
  let stalled: NodeJS.Timeout | undefined;
  let over = false;
  /** False when the caller must read first. */
  const write = (line: string) => {
    if (response.write(`${line}\n`)) return true;
    stalled = setTimeout(() => response.destroy(), STALL_MS);
    return false;
  };

  /** @returns whether there may be more */
  function pourPage(): boolean {
    const missed = events.oldest() - 1 - cursor;
    if (missed > 0) {
      cursor += missed;
      if (!write(JSON.stringify({ kind: 'gap', missed }))) return false;
    }
    const page = events.list({ after: cursor, limit: PAGE, deviceId });
    for (const event of page) {
      cursor = event.sequence;
      if (!write(JSON.stringify(show(event)))) return false;
    }
    if (page.length === 0 && !follow) response.end();
    return page.length > 0;
  }
  /** A page at a time, so that the devices are served between two. */
  const pump = (): void => {
    // None yet: the answer before, on the same connection, is still on its way.
    const gone = over || response.socket?.destroyed === true;
    if (!gone && stalled === undefined && pourPage()) setImmediate(pump);
  };

  const unsubscribe = follow ? events.subscribe(pump) : () => {};
  const alive = setInterval(() => {
    if (stalled === undefined) write('');
  }, ALIVE_MS);
  response.on('drain', () => {
    clearTimeout(stalled);
    stalled = undefined;
    pump();
  });
  response.once('close', () => {
    over = true;
    clearTimeout(stalled);
    clearInterval(alive);
    unsubscribe();
  });
  write(JSON.stringify({ kind: 'here', sequence: cursor }));
  pump();
}

/** One event as a watcher reads it. */
export function show({ sequence, atMs, deviceId, kind, topic, body }: HubEvent): object {
  const head = { sequence, atUtc: new Date(atMs).toISOString(), deviceId, kind };
  if (kind !== 'telemetry') return { ...head, ...(JSON.parse(body.toString()) as object) };
  const bag = topic.slice(topic.indexOf('/messages/events/') + '/messages/events/'.length);
  return { ...head, properties: Object.fromEntries(new URLSearchParams(bag)), ...readBody(body) };
}

/** JSON as it is, other text as text, the rest in base64. */
function readBody(body: Buffer): object {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    try {
      return { body: JSON.parse(text) as unknown };
    } catch {
      return { body: text }; // not JSON
    }
  } catch {
    return { bodyBase64: body.toString('base64') }; // not UTF-8
  }
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,12}$/.test(text)) throw badRequest(`${name} must be a whole number`);
  return Number(text);
}
