import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** An event as Azure's metadata service shows it (Scheduled Events, api-version 2020-07-01). */
export interface PlatformEvent {
  readonly EventId: string;
  readonly EventType: string;
  readonly ResourceType: 'VirtualMachine';
  readonly Resources: readonly string[];
  readonly EventStatus: 'Scheduled' | 'Started';
  /** Empty once it has started. */
  readonly NotBefore: string;
  readonly Description: string;
  readonly EventSource: 'Platform' | 'User';
  readonly DurationInSeconds: number;
}

export type PlatformEvents = ReturnType<typeof createPlatformEvents>;

/** The events of a group of virtual machines: they are announced, approved, started, ended or cancelled, and the
 *  incarnation grows with every change. */
export function createPlatformEvents() {
  let incarnation = 1;
  const events = new Map<string, PlatformEvent>();
  const approvals: PlatformEvent[] = [];
  return {
    document: () => ({ DocumentIncarnation: incarnation, Events: [...events.values()] }),
    announce(event: Partial<PlatformEvent> & Pick<PlatformEvent, 'EventId' | 'EventType'>): void {
      incarnation++;
      events.set(event.EventId, {
        ...{ ResourceType: 'VirtualMachine', Resources: ['yolo_0'], EventStatus: 'Scheduled' },
        ...{ NotBefore: 'Tue, 01 Dec 2026 12:15:00 GMT', Description: '', EventSource: 'Platform' },
        DurationInSeconds: -1,
        ...event,
      });
    },
    start(id: string): void {
      const event = events.get(id);
      if (event?.EventStatus !== 'Scheduled') return;
      incarnation++;
      events.set(id, { ...event, EventStatus: 'Started', NotBefore: '' });
    },
    /** It is over, or it was cancelled. */
    remove(id: string): void {
      if (events.delete(id)) incarnation++;
    },
    event: (id: string) => events.get(id),
    /** @returns whether there is such an event; one may be approved as often as one likes */
    approve(id: string): boolean {
      const event = events.get(id);
      if (event) approvals.push(event);
      return event !== undefined;
    },
    /** As the events were when they were approved. */
    approvals,
  };
}

/** The metadata service on loopback. It refuses what the real one refuses: calls without the header `Metadata: true`,
 *  without a version, and bodies that are no approval. */
export async function startMetadataPeer(
  events: Pick<PlatformEvents, 'document' | 'approve'>,
  { vmName = 'yolo_0' } = {},
) {
  /** Statuses for the next calls, before they are looked at; 0 breaks the connection. */
  const faults: number[] = [];
  let calls = 0;
  async function reply(request: IncomingMessage): Promise<{ status: number; body: string }> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://peer');
    if (request.headers['metadata'] !== 'true') return bad('Required metadata header not specified');
    if (!searchParams.has('api-version')) return bad('api-version is missing');
    if (pathname === '/metadata/instance/compute/name') return { status: 200, body: vmName };
    if (pathname !== '/metadata/scheduledevents') return { status: 404, body: '' };
    if (searchParams.get('api-version') !== '2020-07-01') return bad('unknown api-version');
    if (request.method === 'GET') return { status: 200, body: JSON.stringify(events.document()) };
    const ids = startRequests(await textOf(request));
    return ids?.every((id) => events.approve(id)) ? { status: 200, body: '' } : bad('no such event');
  }
  const server = createServer((request, response) => {
    calls++;
    const fault = faults.shift();
    if (fault === 0) {
      request.socket.destroy();
      return;
    }
    const answered = fault === undefined ? reply(request) : Promise.resolve({ status: fault, body: 'later' });
    void answered.then(({ status, body }) => response.writeHead(status).end(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    faults,
    calls: () => calls,
    async stop(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const bad = (why: string) => ({ status: 400, body: JSON.stringify({ error: why }) });

function startRequests(body: string): readonly string[] | undefined {
  try {
    const { StartRequests } = JSON.parse(body) as { StartRequests: { EventId: string }[] };
    return StartRequests.map(({ EventId }) => EventId);
  } catch {
    return undefined;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
