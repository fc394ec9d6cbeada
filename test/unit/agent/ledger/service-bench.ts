import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { createCare } from '../../../../agent/ledger/care/care.ts';
import { createLedgerService, type LedgerServiceDeps } from '../../../../agent/ledger/ledger-service.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';
import { keepWhole } from './bench.ts';

const PATIENCE_MS = 120_000;

/** Everything beside a ledger service in `dir`: what it logs, which conditions stand, and a clock that the waits of the
 *  test move. */
export function serviceBench(dir: string) {
  const clock = createFakeClock();
  const { log, lines } = createLogBook();
  const conditions = createConditions({ clock, log });
  const care = createCare({ dir, log });
  let opened = 0;
  return {
    clock,
    log,
    lines,
    conditions,
    care,
    /** A service, as each process has one. */
    create: (more: Partial<LedgerServiceDeps> = {}) =>
      createLedgerService({
        ...{ dir, care, conditions, clock, log },
        maxBytes: 1_000_000_000,
        minFreeBytes: 0,
        reserveBytes: 0,
        leaseMs: 60_000,
        recoverTorn: keepWhole,
        ...more,
        onOpen: () => {
          opened += 1;
          more.onOpen?.();
        },
      }),
    /** How often a ledger was opened. */
    opened: () => opened,
    codes: () => conditions.list().map(({ code }) => code),
    logged: (event: string) => lines.filter(({ fields }) => fields['event'] === event).length,
    /** Lets time pass until it holds.
     *  @param turn done before each look */
    until: async (what: string, holds: () => boolean, turn: () => Promise<void> = async () => {}) => {
      const endMs = performance.now() + PATIENCE_MS;
      while (!holds()) {
        assert.ok(performance.now() < endMs, `waited in vain: ${what}`);
        await turn();
        await clock.advance(1_000);
        await delay(10);
      }
    },
  };
}
