import type { Refusal, ReportedVersions } from '@dachawatch/contracts';
import type { Health, StorageState } from '../health/health.ts';
import type { Condition } from '../kernel/conditions.ts';
import { redact } from '../kernel/log.ts';
import type { PowerStatus } from '../power/power.ts';
import { type MachineFacts, machineTroubles } from './house.ts';

/** Where the page learns about power, machine and settings. What is absent is left out of the page. */
export interface MachineSources {
  readonly power?: () => PowerStatus;
  readonly health?: Pick<Health, 'facts' | 'disk' | 'versions'>;
  /** How much room there is for clips. */
  readonly storage?: () => StorageState | null;
  /** The settings that the cloud wishes: `$version` of those seen last (0: none yet), and what was not applied. */
  readonly desired?: () => { readonly version: number; readonly refused: readonly Refusal[] };
  /** What is wrong now, the worst first. */
  readonly conditions?: () => readonly Condition[];
}

export interface MachineSide extends MachineFacts {
  readonly power: PowerStatus | null;
  readonly versions: ReportedVersions | null;
  readonly desired: { readonly version: number; readonly refused: readonly Refusal[] } | null;
  readonly conditions: readonly Condition[];
}

/** Asks the sources, once for an answer. */
export const readMachine = ({
  power,
  health,
  storage,
  desired,
  conditions,
}: MachineSources): MachineSide => ({
  power: power?.() ?? null,
  health: health?.facts() ?? null,
  disk: health?.disk() ?? null,
  storage: storage?.() ?? null,
  versions: health?.versions() ?? null,
  desired: desired?.() ?? null,
  conditions: conditions?.() ?? [],
});

/** Refused settings shown; the number of all of them is told beside. */
const MAX_REFUSED = 50;

/** What `GET /api/status` says of them. Readings are rounded to what a person reads, so that the answer stays the
 *  same while they waver. */
export function machineView(side: MachineSide) {
  const { power, health, disk, versions, desired, conditions } = side;
  const { diskFull, diskNearlyFull, underVoltage, hot } = machineTroubles(side);
  return {
    power: power && powerView(power),
    health: health && { ...health, attention: { hot, underVoltage } },
    disk: disk && disk.diskTotalBytes > 0 ? { ...disk, full: diskFull, nearlyFull: diskNearlyFull } : null,
    versions,
    conditions: conditions.map(({ code, level, subject, sinceMs, detail }) => ({
      ...{ code, level, subject, detail: redact(detail) },
      sinceUtc: new Date(sinceMs).toISOString(),
    })),
    desiredVersion: desired && desired.version,
    refusedCount: desired?.refused.length ?? 0,
    refused: (desired?.refused ?? [])
      .slice(0, MAX_REFUSED)
      .map(({ path, reason }) => ({ path: redact(path), reason: redact(reason) })),
  };
}

function powerView({ state, sinceMs, detail, volts, amps, percent, minutesLeft, shutdown }: PowerStatus) {
  return {
    state,
    sinceUtc: new Date(sinceMs).toISOString(),
    detail: detail === null ? null : redact(detail),
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
