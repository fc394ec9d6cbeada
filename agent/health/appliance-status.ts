import type { CameraStatus } from '../capture/capture.ts';
import type { Condition } from '../kernel/conditions.ts';
import type { LedgerSummary } from '../ledger/ledger.ts';
import type { ApplianceFacts, DesiredFacts } from './appliance-facts.ts';

/** How the appliance is, in one word; the page has the sentence for each.
 *  well: everything runs · recording: something moves in front of a camera now · sending: clips are on their way ·
 *  starting: no picture yet, or no link yet, since the start · waiting: clips wait, the link is there ·
 *  offline: no link · refused: the cloud does not let this device in · camera-down: at least one camera gives no
 *  picture · no-cameras: none is configured · switching-off: the appliance ends itself · battery-critical,
 *  battery-low, on-battery: mains is gone, and how far that went · disk-full, disk-nearly-full: no room for clips, or
 *  little · condition: something else is wrong, and `condition` says what · under-voltage: the power supply is too weak · hot: the processor slows down, or is about to ·
 *  settings-refused: a desired property cannot be applied */
export const APPLIANCE_STATES = [
  'switching-off',
  'battery-critical',
  'battery-low',
  'on-battery',
  'disk-full',
  'disk-nearly-full',
  'under-voltage',
  'hot',
  'settings-refused',
  'condition',
  'well',
  'recording',
  'sending',
  'starting',
  'waiting',
  'offline',
  'refused',
  'camera-down',
  'no-cameras',
] as const;

export interface ApplianceStatus {
  readonly state: (typeof APPLIANCE_STATES)[number];
  /** calm: leave it alone · notice: it passes by itself, or watch it · trouble: somebody must act */
  readonly level: 'calm' | 'notice' | 'trouble';
  /** Names of the cameras the sentence is about. */
  readonly cameras: readonly string[];
  /** Since when it is so, ISO UTC; null when nobody asks. */
  readonly sinceUtc: string | null;
  /** Clips that wait for upload; null while the ledger does not answer. */
  readonly waiting: number | null;
  /** What the state `condition` is about. */
  readonly condition: Pick<Condition, 'code' | 'subject'> | null;
}

/** A Raspberry Pi 5 slows its processor down at 80 °C, and more at 85 °C. */
const HOT_CELSIUS = 80;

/** What is wrong with the machine; empty when it is well, or nobody knows. */
export function machineTroubles({ health, storage }: Pick<ApplianceFacts, 'health' | 'storage'>) {
  const now = health?.throttled ?? [];
  return {
    diskFull: storage === 'full',
    diskNearlyFull: storage === 'nearly-full',
    underVoltage: now.includes('under-voltage'),
    hot: (health?.cpuCelsius ?? 0) >= HOT_CELSIUS || now.includes('soft-temperature-limit'),
  };
}

/** What matters most goes first: an end of power before a blind camera before a missing link before a queue. What
 *  takes cameras and link away is told before them. */
export function applianceStatus(
  facts: Omit<ApplianceFacts, 'summary' | 'desired' | 'versions'> & {
    readonly summary: Pick<LedgerSummary, 'waiting'> | null;
    readonly desired: Pick<DesiredFacts, 'refused'> | null;
  },
): ApplianceStatus {
  const { cameras, link, upload, power } = facts;
  const machine = machineTroubles(facts);
  const waiting = facts.summary?.waiting ?? null;
  const status = (
    state: ApplianceStatus['state'],
    level: ApplianceStatus['level'],
    about: readonly CameraStatus[] = [],
    sinceMs: number | null = null,
  ): ApplianceStatus => ({
    state,
    level,
    cameras: about.map((camera) => camera.title),
    sinceUtc: sinceMs === null ? null : new Date(sinceMs).toISOString(),
    waiting,
    condition: null,
  });
  const conditionOf = ({ level, code, subject, sinceMs }: Condition): ApplianceStatus => ({
    ...status(
      'condition',
      level,
      cameras.filter(({ cameraId }) => cameraId === subject),
      sinceMs,
    ),
    condition: { code, subject },
  });
  const worst = facts.conditions[0];

  if (power?.shutdown) return status('switching-off', 'trouble');
  if (power?.state === 'critical') return status('battery-critical', 'trouble', [], power.sinceMs);
  if (power?.state === 'low') return status('battery-low', 'trouble', [], power.sinceMs);
  if (cameras.length === 0) return status('no-cameras', 'trouble');
  // One that is tried again still has no picture, and remembers why.
  const blind = cameras.filter(
    ({ state, detail }) =>
      state === 'down' || state === 'stalled' || (state === 'starting' && detail !== null),
  );
  if (blind.length > 0)
    return status('camera-down', 'trouble', blind, Math.min(...blind.map((camera) => camera.sinceMs)));
  if (machine.diskFull) return status('disk-full', 'trouble');
  if (worst?.level === 'trouble') return conditionOf(worst);
  if (link.state === 'refused') return status('refused', 'trouble', [], link.sinceMs);
  if (power?.state === 'on-battery') return status('on-battery', 'notice', [], power.sinceMs);
  if (link.state === 'offline') return status('offline', 'notice', [], link.sinceMs);
  const dark = cameras.filter(({ state }) => state === 'starting');
  if (dark.length > 0 || link.state === 'connecting') return status('starting', 'notice', dark);
  if (machine.underVoltage) return status('under-voltage', 'notice');
  if (machine.hot) return status('hot', 'notice');
  if (machine.diskNearlyFull) return status('disk-nearly-full', 'notice');
  if ((facts.desired?.refused.length ?? 0) > 0) return status('settings-refused', 'notice');
  if (worst) return conditionOf(worst);
  const recording = cameras.filter((camera) => camera.recording);
  if (recording.length > 0) return status('recording', 'calm', recording);
  // Nobody knows what waits: the ledger is being opened.
  if (waiting === null) return status('starting', 'notice');
  if (waiting === 0) return status('well', 'calm');
  return upload.state === 'uploading' ? status('sending', 'calm') : status('waiting', 'notice');
}
