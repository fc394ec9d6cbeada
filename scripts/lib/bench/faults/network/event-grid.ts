/** Event Grid of the harness: tells the functions host of committed clips, at least once, sometimes twice, again until
 *  it is taken. It hears of them at the proxy before storage, so that no listing is needed. */
import { CONTAINER_CLIPS, parseClipBlobName } from '@dachawatch/contracts';
import { pause } from '../wait.ts';

export interface EventGrid {
  /** Storage has answered a request of the house. */
  heard(method: string, url: string, status: number): void;
  /** A clip that was found in storage: told when it has not been yet. */
  found(blobName: string, url: string): void;
  deliverTo(host: () => { base: string; keys: Readonly<Record<string, string>> } | undefined): void;
  /** Whether everything is told. */
  idle(): boolean;
  /** From now on. */
  tellTwice(twice: boolean): void;
  stop(): void;
}

const AGAIN_MS = 200;
const ANSWER_MS = 5_000;

export function createEventGrid(): EventGrid {
  const told = new Set<string>();
  const waiting: { name: string; url: string; eTag: string }[] = [];
  let twice = false;
  const stopping = new AbortController();

  function add(name: string, url: string): void {
    if (told.has(name)) return;
    told.add(name);
    const event = { name, url, eTag: crypto.randomUUID() };
    waiting.push(event, ...(twice ? [event] : []));
  }

  async function tell(
    { base, keys }: { base: string; keys: Readonly<Record<string, string>> },
    { name, url, eTag }: (typeof waiting)[number],
  ): Promise<boolean> {
    const endpoint = `${base}/runtime/webhooks/eventgrid?functionName=OnVideoBlobCreated&code=${keys['eventGrid']}`;
    try {
      const answer = await fetch(endpoint, {
        method: 'POST',
        headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
        body: JSON.stringify([
          {
            id: eTag,
            topic: '',
            subject: `/blobServices/default/containers/${CONTAINER_CLIPS}/blobs/${name}`,
            eventType: 'Microsoft.Storage.BlobCreated',
            eventTime: new Date().toISOString(),
            dataVersion: '',
            metadataVersion: '1',
            data: { api: 'PutBlockList', contentLength: 1, url, eTag },
          },
        ]),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      // It is down, or was killed while it took it: told again.
      return false;
    }
  }

  return {
    heard(method, url, status) {
      const { pathname, searchParams, origin } = new URL(url, 'https://127.0.0.1');
      if (method !== 'PUT' || status !== 201 || searchParams.get('comp') !== 'blocklist') return;
      const path = decodeURIComponent(pathname);
      add(path.slice(path.indexOf(`/${CONTAINER_CLIPS}/`) + CONTAINER_CLIPS.length + 2), origin + pathname);
    },
    found(name, url) {
      if (parseClipBlobName(name)) add(name, url);
    },
    deliverTo(host) {
      void (async () => {
        while (!stopping.signal.aborted) {
          const there = host();
          const event = waiting[0];
          if (there && event && (await tell(there, event))) waiting.splice(waiting.indexOf(event), 1);
          else await pause(AGAIN_MS);
        }
      })();
    },
    idle: () => waiting.length === 0,
    tellTwice: (wanted) => {
      twice = wanted;
    },
    stop: () => stopping.abort(),
  };
}
