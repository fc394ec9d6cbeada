import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlobChanges, ChangeCursor } from './blob-changes.ts';

/** Beside the accounts on the blob server: no account can have this name. */
export const CHANGES_PATH = '/$changes';
/** Longest that an answer waits for something to tell. */
const WAIT_MAX_MS = 30_000;
const PAGE = 500;
/** One bridge a container; more than that is a mistake. */
const WAITING_MAX = 16;

/** What a reader of changes shows: made from the account's key, good for nothing else. */
export const changesToken = (accountKey: string): string =>
  createHmac('sha256', Buffer.from(accountKey, 'base64')).update('blob changes').digest('base64url');

export interface ChangeRequests {
  /** Answers a request for changes. @returns false when it is none */
  take(request: IncomingMessage, response: ServerResponse): boolean;
  /** Answers who waits, at once. */
  close(): void;
}

/** `GET /$changes?container=NAME&feed=ID&after=SEQ&waitMs=N`: what happened behind the cursor, as soon as something
 *  did. 200 `{cursor, changes}`; 410 `{cursor}` when the cursor is unknown: list the container, then go on from the
 *  cursor of this answer, which was taken before. */
export function createChangeRequests({
  changes,
  accountKey,
}: {
  readonly changes: BlobChanges;
  readonly accountKey: string;
}): ChangeRequests {
  const expected = Buffer.from(`Bearer ${changesToken(accountKey)}`);
  const waiting = new Set<() => void>();
  let isClosed = false;

  function answer(response: ServerResponse, status: number, body: object): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  function tell(url: URL, response: ServerResponse): void {
    const { container, cursor, waitMs } = queryOf(url);
    const end = (status: number, body: object) => {
      clearTimeout(timer);
      stopListening();
      waiting.delete(now);
      answer(response, status, body);
    };
    const look = (isLast: boolean) => {
      const page = changes.since(container, cursor, PAGE);
      if (page === undefined) end(410, { cursor: changes.end() });
      else if (page.changes.length > 0 || isLast) end(200, page);
    };
    const now = () => look(true);
    const timer = setTimeout(now, waitMs);
    const stopListening = changes.onCommit(() => look(false));
    waiting.add(now);
    response.once('close', () => {
      clearTimeout(timer);
      stopListening();
      waiting.delete(now);
    });
    look(waitMs === 0 || isClosed);
  }

  return {
    take(request, response) {
      const url = URL.parse(`https://127.0.0.1${request.url ?? '/'}`);
      if (url?.pathname !== CHANGES_PATH) return false;
      const shown = Buffer.from(request.headers.authorization ?? '');
      if (shown.length !== expected.length || !timingSafeEqual(shown, expected))
        answer(response, 401, { message: 'the account key did not make this token' });
      else if (request.method !== 'GET') answer(response, 405, { message: 'GET only' });
      else if (waiting.size >= WAITING_MAX)
        answer(response, 429, { message: `${WAITING_MAX} readers wait already` });
      else tell(url, response);
      return true;
    },
    close() {
      isClosed = true;
      for (const now of [...waiting]) now();
    },
  };
}

/** What is missing or no number makes an unknown cursor: the reader then lists. */
function queryOf({ searchParams }: URL) {
  const number = (name: string) => {
    const text = searchParams.get(name) ?? '';
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  const cursor: ChangeCursor = { feed: searchParams.get('feed') ?? '', seq: number('after') ?? -1 };
  return {
    container: searchParams.get('container') ?? '',
    cursor,
    waitMs: Math.min(number('waitMs') ?? 0, WAIT_MAX_MS),
  };
}
