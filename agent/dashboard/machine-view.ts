import { type ApplianceFacts, machineTroubles } from '../health/health.ts';
import { redact } from '../kernel/log.ts';
import type { PowerStatus } from '../power/power.ts';
import type { Say } from './reasons.ts';

/** Refused settings shown; the number of all of them is told beside. */
const MAX_REFUSED = 50;

/** What `GET /api/status` says of them. Readings are rounded to what a person reads, so that the answer stays the
 *  same while they waver. */
export function machineView(facts: ApplianceFacts, say: Say) {
  const { power, health, disk, versions, desired, conditions } = facts;
  const { diskFull, diskNearlyFull, underVoltage, hot } = machineTroubles(facts);
  return {
    power: power && powerView(power, say),
    health: health && { ...health, attention: { hot, underVoltage } },
    disk: disk && disk.diskTotalBytes > 0 ? { ...disk, full: diskFull, nearlyFull: diskNearlyFull } : null,
    versions,
    conditions: conditions.map(({ code, level, subject, sinceMs, detail }) => ({
      ...{ code, level, subject, detail: say(detail) },
      sinceUtc: new Date(sinceMs).toISOString(),
    })),
    desiredVersion: desired && desired.version,
    refusedCount: desired?.refused.length ?? 0,
    refused: (desired?.refused ?? [])
      .slice(0, MAX_REFUSED)
      .map(({ path, reason }) => ({ path: redact(path), reason: say(reason) })),
  };
}

function powerView(
  { state, isWatched, sinceMs, detail, volts, amps, percent, minutesLeft, shutdown }: PowerStatus,
  say: Say,
) {
  return {
    state,
    isWatched,
    sinceUtc: new Date(sinceMs).toISOString(),
    detail: detail === null ? null : say(detail),
    volts: roundTo(volts, 0.1),
    amps: roundTo(amps, 0.1),
    percent: roundTo(percent, 1),
    // Nobody can tell 95 from 96 minutes.
    minutesLeft: roundTo(minutesLeft, minutesLeft !== null && minutesLeft > 20 ? 5 : 1),
    shutdown,
  };
}

const roundTo = (value: number | null, step: number) =>
  value === null ? null : Number((Math.round(value / step) * step).toFixed(1));
