import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import {
  type CameraConfig,
  parse,
  type RecordingConfig,
  type Refusal,
  type ReportedHealth,
  type ReportedVersions,
  TELEMETRY_DATA,
  type TelemetryEvent,
  TwinReported,
} from '@dachawatch/contracts';
import type { CameraStatus } from '../../../../agent/capture/capture.ts';
import { createRefusedRecordings, type RefusedRecordings } from '../../../../agent/health/health.ts';
import { createReports, type Reports } from '../../../../agent/reports/reports.ts';
import type { LinkStatus } from '../../../../agent/hub/hub.ts';
import { type Condition, createConditions } from '../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import type { Ledger, LedgerSummary } from '../../../../agent/ledger/ledger.ts';
import type { PowerStatus } from '../../../../agent/power/power.ts';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface Told {
  readonly atMs: number;
  readonly event: TelemetryEvent;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the rooms say. A test changes it and lets time pass. */
export interface House {
  cameras: Writable<CameraStatus>[];
  link: LinkStatus;
  power: Writable<PowerStatus>;
  summary: Writable<LedgerSummary>;
  disk: { diskFreeBytes: number; diskTotalBytes: number };
  facts: Writable<ReportedHealth> | null;
  versions: Writable<ReportedVersions>;
  settings: { recording: RecordingConfig; cameras: readonly CameraConfig[] };
  desired: { version: number; refused: readonly Refusal[] };
  conditions: readonly Condition[];
}

export interface ReportsRig {
  readonly house: House;
  readonly clock: FakeClock;
  readonly reports: Reports;
  readonly told: Told[];
  readonly handed: { readonly atMs: number; readonly reported: TwinReported }[];
  readonly lines: string[];
  /** What was told of one kind, in order. */
  readonly of: (event: TelemetryEvent) => Told[];
  /** Movements of its cameras that could not be recorded. */
  readonly refusedRecordings: RefusedRecordings;
  /** Set to have nothing stored. */
  failWith: Error | undefined;
  /** Set to have the ledger answer no question. */
  silentWith: Error | undefined;
  readonly seconds: (n: number) => Promise<void>;
}

export const camera = (cameraId: string, changes: Partial<CameraStatus> = {}): Writable<CameraStatus> => ({
  cameraId,
  title: cameraId,
  state: 'live',
  sinceMs: Date.UTC(2026, 5, 1, 11),
  detail: null,
  pid: 77,
  pauseMs: null,
  lastFragmentAgeMs: 500,
  lastFrameAgeMs: 180,
  recording: false,
  unrecordedMs: null,
  alertness: 'quiet',
  decoded: 10,
  suppressed: {},
  ...changes,
});

export const cameraConfig = (id: string, changes: Partial<CameraConfig> = {}): CameraConfig => ({
  id,
  main: `rtsp://10.0.0.9:554/${id}/1`,
  sub: `rtsp://10.0.0.9:554/${id}/2`,
  sensitivity: 5,
  ...changes,
});

export const quietHouse = (): House => ({
  cameras: [camera('gate'), camera('yard')],
  link: { state: 'online', sinceMs: Date.UTC(2026, 5, 1, 11), detail: null },
  power: {
    state: 'on-mains',
    isWatched: true,
    sinceMs: Date.UTC(2026, 5, 1, 11),
    detail: null,
    volts: 12.31,
    amps: 0.04,
    percent: 97,
    minutesLeft: null,
    shutdown: null,
  },
  summary: {
    clips: 412,
    waiting: 0,
    awaitingVerdict: 1,
    bytes: 3_912_345_678,
    bytesOnlyHere: 0,
    oldestWaitingMs: null,
    outgoing: 0,
    eventsDropped: 0,
  },
  disk: { diskFreeBytes: 21_512_345_678, diskTotalBytes: 30_900_000_000 },
  facts: {
    cpuCelsius: 48.4,
    throttled: [],
    load1: 0.42,
    cores: 4,
    memoryTotalBytes: 8_455_000_000,
    memoryAvailableBytes: 7_412_345_678,
    agentBytes: 231_234_567,
    uptimeSeconds: 86_400 * 3,
    agentUptimeSeconds: 86_400 * 2,
    clock: 'synchronised',
  },
  versions: {
    agent: '0.1.0',
    node: '24.21.0',
    kernel: '6.12.47+rpt-rpi-2712',
    os: 'Debian GNU/Linux 12',
    hardware: 'Raspberry Pi 5 Model B Rev 1.0',
  },
  settings: {
    recording: { preRollMs: 5_000, postRollMs: 30_000 },
    cameras: [cameraConfig('gate'), cameraConfig('yard')],
  },
  desired: { version: 3, refused: [] },
  conditions: [],
});

const NOTHING_REFUSED = { look: () => undefined, report: () => undefined };

/** How reports ask a house, the ledger aside. */
export const askingOf = (house: House) => ({
  cameras: () => house.cameras,
  link: () => house.link,
  power: () => house.power,
  disk: () => house.disk,
  facts: () => house.facts,
  versions: () => house.versions,
  settings: () => house.settings,
  desired: () => house.desired,
  conditions: () => house.conditions,
  refusedRecordings: NOTHING_REFUSED,
  recordingLimit: { look: () => undefined },
});

/** Reports on a house made of variables. Everything told and handed over is checked against its contract. */
export function reportsRig(t: TestContext, house: House = quietHouse()): ReportsRig {
  const clock = createFakeClock();
  const lines: string[] = [];
  const told: Told[] = [];
  const handed: { atMs: number; reported: TwinReported }[] = [];
  const tell: Ledger['tell'] = (event, data) => {
    if (rig.failWith) throw rig.failWith;
    assert.deepEqual(parse(TELEMETRY_DATA[event], data), data);
    told.push({ atMs: clock.monotonicMs(), event, data: structuredClone(data) });
  };
  const conditions = createConditions({ clock, log: createLog('silent') });
  const refusedRecordings = createRefusedRecordings({ conditions, clock });
  const reports = createReports({
    ...askingOf(house),
    conditions: () => [...house.conditions, ...conditions.list()],
    refusedRecordings,
    ledger: {
      tell,
      summary: () => {
        if (rig.silentWith) throw rig.silentWith;
        return house.summary;
      },
    },
    clipBytesMax: 20_000_000_000,
    report(reported) {
      assert.deepEqual(parse(TwinReported, reported), reported);
      handed.push({ atMs: clock.monotonicMs(), reported: structuredClone(reported) });
    },
    clock,
    log: createLog('debug', (line) => lines.push(line)),
  });
  const rig: ReportsRig = {
    house,
    clock,
    reports,
    told,
    handed,
    lines,
    refusedRecordings,
    of: (event) => told.filter((one) => one.event === event),
    failWith: undefined,
    silentWith: undefined,
    seconds: (n) => clock.advance(n * 1_000),
  };
  t.after(() => reports.stop());
  return rig;
}
