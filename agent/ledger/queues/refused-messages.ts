import type { Clock } from '../../kernel/clock.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import type { Log } from '../../kernel/log.ts';

/** A refused message is told so long. */
const TOLD_MS = 24 * 3_600_000;

/** Why a message is refused that came with the id of another. */
export const CONFLICT = 'this message id came before with other bytes; the first one counts';

export interface RefusedMessages {
  tell(messageId: string, reason: string): void;
  /** Takes the notice back a day after the last one. */
  forgetOld(): void;
}

/** The notice of cloud messages that were refused and are kept aside: condition `message-refused`. */
export function createRefusedMessages(
  conditions: Pick<Conditions, 'raise' | 'clear'>,
  clock: Pick<Clock, 'monotonicMs'>,
  log: Log,
): RefusedMessages {
  let told = { count: 0, lastMs: 0 };
  return {
    tell(messageId, reason) {
      const event = reason === CONFLICT ? 'inbox.conflict' : 'inbox.refused';
      log.warn({ event, messageId, reason }, 'cloud message refused and kept');
      told = { count: told.count + 1, lastMs: clock.monotonicMs() };
      conditions.raise(
        'message-refused',
        told.count === 1
          ? `a cloud message could not be read, and is kept aside. The last: ${reason}. This notice goes a day after the last one`
          : `${told.count} cloud messages could not be read, and are kept aside. The last: ${reason}. This notice goes a day after the last one`,
      );
    },
    forgetOld() {
      if (told.count === 0 || clock.monotonicMs() - told.lastMs < TOLD_MS) return;
      told = { count: 0, lastMs: 0 };
      conditions.clear('message-refused');
    },
  };
}
