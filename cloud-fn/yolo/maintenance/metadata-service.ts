import { type EventDocument, readEventDocument } from './scheduled-event.ts';

const EVENTS = '/metadata/scheduledevents?api-version=2020-07-01';
const NAME = '/metadata/instance/compute/name?api-version=2021-02-01&format=text';
/** Events are switched on by the first call, which may take two minutes. */
const FIRST_MS = 130_000;
const CALL_MS = 10_000;
const MOST_BYTES = 1024 * 1024;

/** The metadata service of a virtual machine of Azure. Every call may throw: it is then made again later. */
export interface MetadataService {
  vmName(signal: AbortSignal): Promise<string>;
  events(signal: AbortSignal): Promise<EventDocument>;
  /** Tells that the event may begin now. Once is enough, and more do no harm. */
  approve(eventId: string, signal: AbortSignal): Promise<void>;
}

/** @param address `http://169.254.169.254` on a virtual machine */
export function createMetadataService(address: string): MetadataService {
  let firstDone = false;

  async function call(path: string, limitMs: number, signal: AbortSignal, body?: string): Promise<string> {
    const response = await fetch(new URL(path, address), {
      // The service refuses calls without it, so that nobody is redirected there.
      headers: { Metadata: 'true', ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { method: 'POST', body }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
    });
    const text = await textOf(response);
    if (!response.ok)
      throw new Error(`the metadata service answered ${response.status}: ${text.slice(0, 200)}`);
    return text;
  }

  return {
    vmName: async (signal) => {
      const name = (await call(NAME, CALL_MS, signal)).trim();
      if (name === '') throw new Error('the metadata service gave no name of this machine');
      return name;
    },
    events: async (signal) => {
      const text = await call(EVENTS, firstDone ? CALL_MS : FIRST_MS, signal);
      firstDone = true;
      return readEventDocument(text);
    },
    approve: async (eventId, signal) => {
      await call(EVENTS, CALL_MS, signal, JSON.stringify({ StartRequests: [{ EventId: eventId }] }));
    },
  };
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error(`the metadata service answered more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
