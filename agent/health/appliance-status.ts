import { type CameraStatus, isWithoutPicture } from '../capture/capture.ts';
import type { Condition } from '../kernel/conditions.ts';
import { Failure } from '../kernel/failure.ts';
import type { LedgerSummary } from '../ledger/ledger.ts';
import type { ApplianceFacts, DesiredFacts } from './appliance-facts.ts';

/** How the appliance is, in one word; the page has the sentence for each.
 *  well: everything runs · recording: something moves in front of a camera now · sending: clips are on their way ·
 *  starting: no picture yet, or no link yet, since the start · waiting: clips wait, the link is there ·
 *  offline: no link · refused: the cloud does not let this device in · camera-down: at least one camera gives no
 *  picture · camera-blind: one gives pictures that do not show the scene · no-cameras: none is configured · switching-off: the appliance ends itself · battery-critical,
 *  battery-low, on-battery: mains is gone, and how far that went · disk-full, disk-nearly-full: no room for clips, or
 *  little · condition: something else is wrong, and `condition` says what · under-voltage: the power supply is too weak · hot: the processor slows down, or is about to ·
 *  settings-refused: a desired property cannot be applied · person-seen: a clip judged in the last hours shows a person ·
 *  verdicts-overdue: the cloud does not judge what it has */
export const APPLIANCE_STATES = [
  'person-seen',
  'verdicts-overdue',
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
  'camera-blind',
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
  /** Clips the sentence is about; null when it is about none. */
  readonly count: number | null;
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

const LEVELS: readonly ApplianceStatus['level'][] = ['trouble', 'notice', 'calm'];

/** Evidence that is lost, held back or never made: it comes before what may be the reason. */
const EVIDENCE: ReadonlySet<Condition['code']> = new Set([
  'clips-lost',
  'clips-parked',
  'recording-refused',
  'recording-limit',
]);

type StatusFacts = Omit<ApplianceFacts, 'summary' | 'desired' | 'versions'> & {
  readonly summary: Pick<LedgerSummary, 'waiting'> | null;
  readonly desired: Pick<DesiredFacts, 'refused'> | null;
};

/** What matters most, by the order of `allThatMatters`. */
export const applianceStatus = (facts: StatusFacts): ApplianceStatus => {
  const [first] = allThatMatters(facts);
  if (!first) throw new Failure('bug', 'health.no-status', 'the appliance is in no state');
  return first;
};

/** Everything that matters, the worst first: troubles, then notices, then one state when nothing is wrong. Among equals a person, an end of power, lost or missing
 *  evidence, a blind camera, the disk, the link, what passes by itself. What takes cameras and link away is told before
 *  them. */
export function allThatMatters(facts: StatusFacts): ApplianceStatus[] {
  const found: ApplianceStatus[] = [];
  const tell = (one: ApplianceStatus) => void found.push(one);
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
    count: null,
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
  const conditions = (wanted: (condition: Condition) => boolean) => {
    for (const condition of facts.conditions) if (wanted(condition)) tell(conditionOf(condition));
  };
  const isEvidence = ({ code }: Condition) => EVIDENCE.has(code);
  const { persons = null, overdueSinceMs = null } = facts.news ?? {};

  if (persons) {
    const at = cameras.filter(({ cameraId }) => persons.cameraIds.includes(cameraId));
    tell({ ...status('person-seen', 'trouble', at, persons.latestMs), count: persons.count });
  }
  if (power?.shutdown) tell(status('switching-off', 'trouble'));
  if (power?.state === 'critical') tell(status('battery-critical', 'trouble', [], power.sinceMs));
  if (power?.state === 'low') tell(status('battery-low', 'trouble', [], power.sinceMs));
  conditions(isEvidence);
  if (cameras.length === 0) tell(status('no-cameras', 'trouble'));
  // One that is tried again still has no picture, and remembers why.
  const down = cameras.filter(
    ({ state, detail }) => isWithoutPicture(state) || (state === 'starting' && detail !== null),
  );
  const earliest = (of: readonly CameraStatus[]) => Math.min(...of.map((camera) => camera.sinceMs));
  if (down.length > 0) tell(status('camera-down', 'trouble', down, earliest(down)));
  const blind = cameras.filter(({ state }) => state === 'blind');
  if (blind.length > 0) tell(status('camera-blind', 'trouble', blind, earliest(blind)));
  if (machine.diskFull) tell(status('disk-full', 'trouble'));
  conditions((one) => one.level === 'trouble' && !isEvidence(one));
  if (link.state === 'refused') tell(status('refused', 'trouble', [], link.sinceMs));
  if (power?.state === 'on-battery') tell(status('on-battery', 'notice', [], power.sinceMs));
  if (link.state === 'offline') tell(status('offline', 'notice', [], link.sinceMs));
  if (overdueSinceMs !== null) tell(status('verdicts-overdue', 'notice', [], overdueSinceMs));
  const dark = cameras.filter(({ state, detail }) => state === 'starting' && detail === null);
  if (dark.length > 0 || link.state === 'connecting') tell(status('starting', 'notice', dark));
  if (machine.underVoltage) tell(status('under-voltage', 'notice'));
  if (machine.hot) tell(status('hot', 'notice'));
  if (machine.diskNearlyFull) tell(status('disk-nearly-full', 'notice'));
  if ((facts.desired?.refused.length ?? 0) > 0) tell(status('settings-refused', 'notice'));
  conditions((one) => one.level === 'notice' && !isEvidence(one));
  const recording = cameras.filter((camera) => camera.recording);
  if (recording.length > 0) tell(status('recording', 'calm', recording));
  // Nobody knows what waits: the ledger is being opened.
  else if (waiting === null) tell(status('starting', 'notice'));
  else if (waiting === 0) tell(status('well', 'calm'));
  else tell(upload.state === 'uploading' ? status('sending', 'calm') : status('waiting', 'notice'));
  return found.toSorted((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
}
