import { type ConditionCode, type ConditionLevel, CONDITIONS, CONDITIONS_MAX } from '@dachawatch/contracts';
import type { Clock } from './clock.ts';
import { type Log, redact } from './log.ts';

/** Something that is wrong now. */
export interface Condition {
  readonly code: ConditionCode;
  readonly level: ConditionLevel;
  /** Which one: id of the camera, name of the room. Null: there is only one. */
  readonly subject: string | null;
  /** One sentence for a person, without secrets. */
  readonly detail: string;
  /** Wall time, Unix milliseconds. */
  readonly sinceMs: number;
}

/** What is wrong with the appliance at this moment. Rooms raise and clear; page, twin, telemetry, status line and
 *  status light read.
 *  Invariants
 *  1. One condition for each code and subject; raising it again changes its sentence, never its beginning.
 *  2. Neither `raise` nor `clear` throws, writes to a disk, or costs more than the log line of a change.
 *  3. At most `CONDITIONS_MAX` stand; beyond that a new notice is only logged, and a new trouble takes the place of a
 *     notice. */
export interface Conditions {
  raise(code: ConditionCode, detail: string, subject?: string): void;
  /** Nothing raised is no error. */
  clear(code: ConditionCode, subject?: string): void;
  /** Troubles first, then notices; each by its beginning. */
  list(): readonly Condition[];
}

const DETAIL_MAX = 1_000;

export function createConditions({
  clock,
  log,
}: {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}): Conditions {
  const standing = new Map<string, Condition>();
  const keyOf = (code: ConditionCode, subject: string | undefined) => `${code} ${subject ?? ''}`;
  const rank = ({ level }: Condition) => (level === 'trouble' ? 0 : 1);

  /** @returns whether there is room for one more of this level */
  function makePlace(level: ConditionLevel): boolean {
    if (standing.size < CONDITIONS_MAX) return true;
    if (level === 'notice') return false;
    for (const [key, condition] of standing) if (condition.level === 'notice') return standing.delete(key);
    return false;
  }

  return {
    raise(code, detail, subject) {
      const { level } = CONDITIONS[code];
      const key = keyOf(code, subject);
      const text = redact(detail).slice(0, DETAIL_MAX);
      const before = standing.get(key);
      if (before?.detail === text) return;
      if (!before && !makePlace(level)) return;
      const sinceMs = before?.sinceMs ?? clock.nowMs();
      standing.set(key, { code, level, subject: subject ?? null, detail: text, sinceMs });
      // A sentence with a figure in it changes often: one line for each condition is enough.
      const say = before ? 'debug' : level === 'trouble' ? 'error' : 'warn';
      log[say]({ event: 'condition.raised', code, subject }, text);
    },
    clear(code, subject) {
      const key = keyOf(code, subject);
      if (!standing.delete(key)) return;
      log.info({ event: 'condition.cleared', code, subject }, `no longer: ${CONDITIONS[code].about}`);
    },
    list: () => [...standing.values()].toSorted((a, b) => rank(a) - rank(b) || a.sinceMs - b.sinceMs),
  };
}
