/** How clips come into a hostile seed: announced, by hand, or in flight since before; and a house that asks for verdicts it
 *  does not find. */
import { askBlobName, CONTAINER_CLIPS } from '@dachawatch/contracts';
import { instanceIdOf } from '../../../../cloud-fn/functions/clip-of-blob.ts';
import type { HostClock } from '../../../../cloud-fn/local/functions-host/clock.ts';
import type { HostKeys } from '../../../../cloud-fn/local/functions-host/http/keys.ts';
import { startMarkerPlace } from '../../../../cloud-fn/ports/instance-places.ts';
import { json, type StoragePort } from '../../../../cloud-fn/ports/storage.ts';
import { type HostileClip, WAIT_MS } from './clips.ts';

const MINUTE_MS = 60_000;
const HOUSE_ASKS_MS = { first: 25 * MINUTE_MS, again: 6 * 60 * MINUTE_MS };
const ANNOUNCE_AGAIN_MS = 30_000;

export interface BeginningsDeps {
  readonly clock: HostClock;
  /** False: it was not taken. */
  readonly post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<boolean>;
  readonly keys: Pick<HostKeys, 'function' | 'durableTask' | 'eventGrid'>;
  readonly storage: Pick<StoragePort, 'writeBlob'>;
  /** Whether a clip has one. */
  readonly verdictOf: (name: string) => boolean;
  readonly say: (line: string) => void;
}

/** @returns uploads a clip and begins with it */
export function createBeginnings({ clock, post, keys, storage, verdictOf, say }: BeginningsDeps) {
  /** Until it is taken, as Event Grid does. */
  async function announce(name: string, url: string): Promise<void> {
    const event = {
      id: `${name} ${clock.nowMs()}`,
      topic: '/hostile',
      subject: `/blobServices/default/containers/${CONTAINER_CLIPS}/blobs/${name}`,
      eventType: 'Microsoft.Storage.BlobCreated',
      eventTime: new Date(clock.nowMs()).toISOString(),
      data: { api: 'PutBlockList', contentLength: 4, url },
      dataVersion: '',
      metadataVersion: '1',
    };
    const path = `/runtime/webhooks/eventgrid?functionName=OnVideoBlobCreated&code=${keys.eventGrid}`;
    const taken = await post(path, [event], { 'aeg-event-type': 'Notification' });
    say(`announced ${name}: ${taken ? 'taken' : 'refused'}`);
    if (!taken) clock.wakeAt(clock.nowMs() + ANNOUNCE_AGAIN_MS, () => void announce(name, url));
  }
  const byHand = async (clip: HostileClip): Promise<void> => {
    const body = { blobURL: clip.url, blobName: `${CONTAINER_CLIPS}/${clip.name}` };
    const path = `/api/orchestrators/video_orchestrator?code=${keys.function}`;
    if (!(await post(path, body))) clock.wakeAt(clock.nowMs() + ANNOUNCE_AGAIN_MS, () => void byHand(clip));
  };
  /** In flight since before the second version of the code, which knows of no open clips. */
  async function startFirstVersion(clip: HostileClip): Promise<void> {
    const id = instanceIdOf(clip.name);
    const [device_id = '', camera_id = ''] = clip.name.split('/');
    const input = {
      clip: {
        clip_id: clip.clipId,
        device_id,
        camera_id,
        blobName: `${CONTAINER_CLIPS}/${clip.name}`,
        blobUrl: clip.url,
      },
      waitMs: WAIT_MS,
      revision: 1,
    };
    await storage.writeBlob(startMarkerPlace(id), json({ state: 'started', input }));
    await post(
      `/runtime/webhooks/durabletask/orchestrators/clip-analysis/${id}?code=${keys.durableTask}`,
      input,
    );
  }
  async function begin(clip: HostileClip): Promise<void> {
    say(`${clip.story} (${clip.beginning}, ${clip.hearing}): ${clip.name} ${instanceIdOf(clip.name)}`);
    await storage.writeBlob(
      { container: CONTAINER_CLIPS, name: clip.name },
      { bytes: 'clip', contentType: 'video/mp4' },
    );
    houseAsks(clip, clock.nowMs() + HOUSE_ASKS_MS.first);
    if (clip.beginning === 'by-hand') return byHand(clip);
    if (clip.beginning === 'first-version') return startFirstVersion(clip);
    const twice = clip.beginning === 'events' ? [announce(clip.name, clip.url)] : [];
    await Promise.all([announce(clip.name, clip.url), ...twice]);
    return undefined;
  }
  function houseAsks({ name, url }: HostileClip, atMs: number): void {
    clock.wakeAt(atMs, () => {
      if (verdictOf(name)) return;
      say(`the house asks for ${name}`);
      void announce(askBlobName(name), askBlobName(url));
      houseAsks({ name, url } as HostileClip, clock.nowMs() + HOUSE_ASKS_MS.again);
    });
  }

  return begin;
}
