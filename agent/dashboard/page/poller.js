import { ask } from './ask.js';

const EVERY_MS = 4_000;
const AFTER_ERROR_MS = { min: 4_000, max: 60_000 };
const DEADLINE_MS = 15_000;

/** Asks for the status again and again while somebody looks. An unchanged answer is a 304 without a body; an
 *  appliance that does not answer is asked less and less often.
 *  @param {object} handlers
 *  @param {() => string} handlers.language in which reasons are told
 *  @param {(skewMs: number, status: object | undefined) => void} handlers.onAnswer after each answer: the
 *  appliance's clock minus ours, and the status when it is a new one
 *  @param {() => void} handlers.onSilence after each failed attempt */
export function createPoller({ language, onAnswer, onSilence }) {
  let etag = '';
  let failures = 0;
  let timer = 0;
  let asking = false;

  async function askStatus() {
    const response = await ask(`/api/status?lang=${language()}`, {
      // The first one is on its way since the page was opened.
      cache: etag ? 'no-store' : 'default',
      headers: etag ? { 'If-None-Match': etag } : {},
      deadlineMs: DEADLINE_MS,
    });
    // The session is over.
    if (response.status === 401) return location.assign('/login');
    if (response.status !== 304 && !response.ok) throw new Error(`status ${response.status}`);
    const status = response.status === 304 ? undefined : await response.json();
    etag = response.headers.get('ETag') ?? '';
    const date = Date.parse(response.headers.get('Date') ?? '');
    onAnswer(Number.isNaN(date) ? 0 : date - Date.now(), status);
  }

  async function poll() {
    clearTimeout(timer);
    if (asking || document.hidden) return;
    asking = true;
    try {
      await askStatus();
      failures = 0;
    } catch {
      failures += 1;
      onSilence();
    } finally {
      asking = false;
    }
    const pause =
      failures === 0
        ? EVERY_MS
        : Math.min(AFTER_ERROR_MS.max, AFTER_ERROR_MS.min * 2 ** Math.min(failures - 1, 10));
    if (!document.hidden) timer = setTimeout(poll, pause * (0.9 + Math.random() / 5));
  }

  document.addEventListener('visibilitychange', () => void poll());
  addEventListener('online', () => void poll());
  return { poll };
}
