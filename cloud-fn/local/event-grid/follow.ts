import type { BlobChange, ChangeCursor, ChangePage } from '../storage/blob-changes.ts';
import { CHANGES_PATH, changesToken } from '../storage/change-requests.ts';
import { blobCreatedEvent } from './blob-event.ts';
import type { TakenChange } from './event-store.ts';
import { scanContainer, type ScanDeps } from './scan.ts';

/** Storage answers as soon as something happened, and after so long when nothing did. */
const WAIT_MS = 25_000;
const ANSWER_WITHIN_MS = WAIT_MS + 15_000;
/** Between two questions when nothing happened: storage that answers at once must not be asked at once again. */
const QUIET_MS = 100;

export interface FollowDeps extends ScanDeps {
  readonly changes: ChangeSource;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

/** Asks storage for what happened behind a cursor. `changes` absent: storage does not know the cursor. */
export type ChangeSource = (
  container: string,
  cursor: ChangeCursor | undefined,
  signal: AbortSignal,
) => Promise<{ readonly cursor: ChangeCursor; readonly changes?: readonly BlobChange[] }>;

/** @param blobEndpoint address of the account
 *  @throws Error of the source: storage is away, or says no */
export function createChangeSource(blobEndpoint: string, accountKey: string): ChangeSource {
  const headers = { authorization: `Bearer ${changesToken(accountKey)}` };
  return async (container, cursor, signal) => {
    const url = new URL(CHANGES_PATH, blobEndpoint);
    url.search = new URLSearchParams({
      container,
      feed: cursor?.feed ?? '',
      after: String(cursor?.seq ?? ''),
      waitMs: String(WAIT_MS),
    }).toString();
    const response = await fetch(url, {
      headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    if (response.status === 410) {
      const { cursor: end } = (await response.json()) as Pick<ChangePage, 'cursor'>;
      return { cursor: end };
    }
    if (!response.ok) throw new Error(`storage answered ${response.status} when asked for changes`);
    return (await response.json()) as ChangePage;
  };
}

/** Takes what happened since the last time, as soon as something does. A cursor that storage does not know (the first
 *  start, another folder, too long away) costs one listing.
 *  @returns how long to wait before the next question, milliseconds */
export async function followChanges(deps: FollowDeps, signal: AbortSignal): Promise<number> {
  const { container, store, nowMs, log } = deps;
  const { accountName: account, containerName } = container;
  const { cursor, changes } = await deps.changes(containerName, store.cursor(containerName), signal);
  if (changes === undefined) {
    // The cursor was taken before the listing: what happens meanwhile is seen twice rather than not at all.
    const found = await scanContainer(deps, signal);
    store.setCursor(containerName, cursor);
    log({ event: 'container.listed', found });
    return 0;
  }
  let sequence = store.nextSequence();
  const taken = changes.map(({ kind, api, ...blob }): TakenChange => {
    if (kind !== 'created' || !store.isNew(blob)) return { kind, ...blob };
    const from = { account, container: containerName, url: `${container.url}/${encodeURI(blob.name)}` };
    return { kind, ...blob, event: blobCreatedEvent(blob, from, api, sequence++) };
  });
  store.take(containerName, cursor, taken, nowMs());
  const found = taken.filter(({ event }) => event !== undefined).length;
  if (found > 0) log({ event: 'blobs.found', found });
  return changes.length > 0 ? 0 : QUIET_MS;
}
