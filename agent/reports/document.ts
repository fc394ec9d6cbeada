import type {
  CameraConfig,
  RecordingConfig,
  Refusal,
  ReportedBacklog,
  ReportedCamera,
  ReportedCondition,
  ReportedHealth,
  ReportedPower,
  ReportedStorage,
  ReportedVersions,
  TwinReported,
} from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import type { Condition } from '../kernel/conditions.ts';
import { redact } from '../kernel/log.ts';
import type { LedgerSummary } from '../ledger/ledger.ts';
import type { PowerStatus } from '../power/power.ts';
import { fitTwin, shorten } from './fit.ts';
import { ageMark, type Steady, stepOfDigits, uptimeMark } from './steady.ts';

/** Everything that a report says, as the rooms say it. */
export interface Observed {
  readonly cameras: readonly CameraStatus[];
  readonly power: PowerStatus;
  /** Null: the ledger does not answer. */
  readonly summary: LedgerSummary | null;
  readonly disk: Pick<ReportedStorage, 'diskFreeBytes' | 'diskTotalBytes'>;
  readonly clipBytesMax: number;
  readonly facts: ReportedHealth | null;
  readonly versions: ReportedVersions;
  readonly settings: { readonly recording: RecordingConfig; readonly cameras: readonly CameraConfig[] };
  readonly desired: { readonly version: number; readonly refused: readonly Refusal[] };
  /** What is wrong now, the worst first. */
  readonly conditions: readonly Condition[];
}

const isoOf = (ms: number) => new Date(ms).toISOString();
/** `null` deletes in a twin: what is not known is left out. */
const known = <K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } =>
  value === null || value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
const text = (detail: string | null) => known('detail', detail === null ? null : shorten(redact(detail)));

export function powerOf(power: PowerStatus): ReportedPower {
  return {
    state: power.state,
    sinceUtc: isoOf(power.sinceMs),
    ...text(power.detail),
    ...known('volts', power.volts),
    ...known('amps', power.amps),
    ...known('percent', power.percent === null ? null : percentOf(power.percent)),
    ...known('minutesLeft', power.minutesLeft === null ? null : Math.max(0, Math.round(power.minutesLeft))),
    ...known('shutdown', power.shutdown),
  };
}

/** The worst are shown: the twin is small. */
const CONDITIONS_SHOWN = 12;

const conditionOf = ({ code, level, subject, sinceMs, detail }: Condition): ReportedCondition => ({
  code,
  level,
  ...known('subject', subject),
  sinceUtc: isoOf(sinceMs),
  detail: shorten(redact(detail)),
});

const percentOf = (value: number) => Math.min(100, Math.max(0, Math.round(value)));

export const storageOf = ({
  summary,
  disk,
  clipBytesMax,
}: Pick<Observed, 'disk' | 'clipBytesMax'> & { readonly summary: LedgerSummary }): ReportedStorage => ({
  clips: summary.clips,
  clipBytes: summary.bytes,
  clipBytesMax,
  ...disk,
});

export const backlogOf = (summary: LedgerSummary): ReportedBacklog => ({
  waiting: summary.waiting,
  awaitingVerdict: summary.awaitingVerdict,
  ...known('oldestWaitingUtc', summary.oldestWaitingMs === null ? null : isoOf(summary.oldestWaitingMs)),
  events: summary.outgoing,
});

/** Makes the twin's document. Figures are rounded so that a second look at an unchanged house gives the same
 *  document; texts carry no secret; the whole fits the twin. */
export function twinOf(observed: Observed, steady: Steady): TwinReported {
  const { power, settings, desired, facts, summary } = observed;
  const bytes = (name: string, value: number, digits: number) =>
    steady(name, value, stepOfDigits(value, digits));
  const roundPower = (exact: ReportedPower): ReportedPower => ({
    ...exact,
    ...(exact.volts === undefined ? {} : { volts: steady('volts', exact.volts, 0.1) }),
    ...(exact.amps === undefined ? {} : { amps: steady('amps', exact.amps, 0.1) }),
    ...(exact.percent === undefined ? {} : { percent: steady('percent', exact.percent, 5) }),
    ...(exact.minutesLeft === undefined
      ? {}
      : { minutesLeft: steady('minutes', exact.minutesLeft, exact.minutesLeft < 60 ? 5 : 15) }),
  });
  const storage = summary && storageOf({ ...observed, summary });
  const byId = new Map(settings.cameras.map((camera) => [camera.id, camera]));

  return fitTwin({
    schema: 'dachawatch/twin-reported/1',
    desiredVersion: desired.version,
    recording: settings.recording,
    cameras: Object.fromEntries(
      observed.cameras.map((camera) => [camera.cameraId, cameraOf(camera, byId.get(camera.cameraId))]),
    ),
    power: roundPower(powerOf(power)),
    ...known(
      'storage',
      storage && {
        ...storage,
        clipBytes: bytes('clips', storage.clipBytes, 3),
        diskFreeBytes: bytes('disk', storage.diskFreeBytes, 3),
      },
    ),
    // The report itself comes with a heartbeat: a few events that wait are no news.
    ...known('backlog', summary && { ...backlogOf(summary), events: Math.floor(summary.outgoing / 10) * 10 }),
    ...known('health', facts === null ? null : healthOf(facts, steady, bytes)),
    versions: versionsOf(observed.versions),
    conditions: observed.conditions.slice(0, CONDITIONS_SHOWN).map(conditionOf),
    refused: desired.refused.map(({ path, reason }) => ({ path, reason: redact(reason) })),
  });
}

function cameraOf(camera: CameraStatus, config: CameraConfig | undefined): ReportedCamera {
  return {
    state: camera.state,
    sinceUtc: isoOf(camera.sinceMs),
    ...text(camera.detail),
    ...known('lastFrameAgeMs', camera.lastFrameAgeMs === null ? null : ageMark(camera.lastFrameAgeMs)),
    ...known('settings', config && settingsOf(config)),
  };
}

/** An address may carry a login in its query. */
function settingsOf(camera: CameraConfig): NonNullable<ReportedCamera['settings']> {
  const { id: _, ...config } = camera;
  const present = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  return { ...present, main: redact(config.main), sub: redact(config.sub) };
}

function healthOf(
  facts: ReportedHealth,
  steady: Steady,
  bytes: (name: string, value: number, digits: number) => number,
): ReportedHealth {
  return {
    ...facts,
    ...(facts.cpuCelsius === undefined ? {} : { cpuCelsius: steady('celsius', facts.cpuCelsius, 1) }),
    load1: steady('load', facts.load1, 0.5),
    memoryAvailableBytes: bytes('memory', facts.memoryAvailableBytes, 2),
    agentBytes: bytes('agent', facts.agentBytes, 2),
    uptimeSeconds: uptimeMark(facts.uptimeSeconds),
    agentUptimeSeconds: uptimeMark(facts.agentUptimeSeconds),
  };
}

const versionsOf = (versions: ReportedVersions): ReportedVersions => ({
  agent: shorten(versions.agent),
  node: shorten(versions.node),
  kernel: shorten(versions.kernel),
  os: shorten(versions.os),
  hardware: shorten(versions.hardware),
});
