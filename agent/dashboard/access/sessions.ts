import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';

export interface Sessions {
  /** @returns the token of a new session: the browser keeps it, we only what recognises it */
  begin(passwordId: string): string;
  /** Whether a session is open with this token; it is used then. */
  isOpen(token: string, passwordId: string): boolean;
  end(token: string): void;
  /** How many are kept. */
  count(): number;
}

interface Session {
  /** Of the password that it was begun with: another password ends it. */
  readonly passwordId: string;
  readonly begunMs: number;
  usedMs: number;
}

const DAY_MS = 86_400_000;
/** From its beginning, and from when it was used last. */
export const SESSION_MS = { longest: 30 * DAY_MS, unused: 7 * DAY_MS } as const;
/** Phones of a household. */
export const SESSIONS_MAX = 32;

/** Who is logged in. In memory alone: a restart of the agent ends all sessions.
 *  Invariants
 *  1. A token is never one that a browser brought.
 *  2. At most `SESSIONS_MAX`; the one that was not used for the longest goes for a new one. */
export function createSessions(clock: Pick<Clock, 'monotonicMs'>): Sessions {
  /** By the hash of the token, the one used last at the end. */
  const open = new Map<string, Session>();
  const keyOf = (token: string) => createHash('sha256').update(token).digest('base64url');

  return {
    begin: (passwordId) => {
      const [oldest] = open.keys();
      if (open.size >= SESSIONS_MAX && oldest !== undefined) open.delete(oldest);
      const token = randomBytes(32).toString('base64url');
      const nowMs = clock.monotonicMs();
      open.set(keyOf(token), { passwordId, begunMs: nowMs, usedMs: nowMs });
      return token;
    },
    isOpen: (token, passwordId) => {
      const key = keyOf(token);
      const session = open.get(key);
      if (!session) return false;
      const nowMs = clock.monotonicMs();
      open.delete(key);
      if (session.passwordId !== passwordId) return false;
      if (nowMs - session.begunMs >= SESSION_MS.longest || nowMs - session.usedMs >= SESSION_MS.unused)
        return false;
      session.usedMs = nowMs;
      open.set(key, session);
      return true;
    },
    end: (token) => void open.delete(keyOf(token)),
    count: () => open.size,
  };
}
