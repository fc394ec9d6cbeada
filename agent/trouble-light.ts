import type { ApplianceStatus } from './health/health.ts';
import type { Clock } from './kernel/clock.ts';
import { Failure } from './kernel/failure.ts';
import type { Service } from './kernel/services/lifecycle.ts';
import { sleepUnlessAborted } from './kernel/waiting/sleep.ts';
import type { Power } from './power/power.ts';

const LOOK_MS = 2_000;
/** A camera that is down is tried again and again, and counts as starting meanwhile, for 35 s at most. */
const CALM_MS = 60_000;

export interface TroubleLightDeps {
  /** @throws Failure when nobody can say */
  readonly status: () => Pick<ApplianceStatus, 'level'>;
  readonly power: Pick<Power, 'setTrouble'>;
  readonly clock: Clock;
}

/** Lets the status light blink while somebody must act: what the page calls trouble, a camera without a picture, a
 *  full disk, a cloud that refuses the device.
 *  Invariants
 *  1. It blinks at once, and until there was no trouble for a minute.
 *  2. An appliance that cannot be judged is in trouble. */
export function createTroubleLight({ status, power, clock }: TroubleLightDeps): Service {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let troubleMs = Number.NEGATIVE_INFINITY;

  function isTrouble(): boolean {
    try {
      return status().level === 'trouble';
    } catch (error) {
      if (!(error instanceof Failure) || error.kind === 'bug') throw error;
      return true;
    }
  }

  async function run(): Promise<void> {
    do {
      const nowMs = clock.monotonicMs();
      if (isTrouble()) troubleMs = nowMs;
      power.setTrouble(nowMs - troubleMs < CALM_MS);
    } while (await sleepUnlessAborted(clock, LOOK_MS, stopping.signal));
  }

  return {
    name: 'trouble light',
    start: async () => {
      running = run();
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
