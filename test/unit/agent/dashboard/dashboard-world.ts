import { request } from 'node:http';
import type { Refusal, ReportedHealth, ReportedVersions } from '@dachawatch/contracts';
import type { CameraStatus } from '../../../../agent/capture/capture.ts';
import {
  createDashboard,
  type Dashboard,
  type DashboardDeps,
} from '../../../../agent/dashboard/dashboard.ts';
import type { LinkStatus } from '../../../../agent/hub/hub.ts';
import type { Disk } from '../../../../agent/health/health.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import type { Clip } from '../../../../agent/ledger/ledger.ts';
import type { PowerStatus } from '../../../../agent/power/power.ts';
import type { UploadStatus } from '../../../../agent/upload/upload.ts';
import { createLedgerView } from '../../../fakes/ledger-view.ts';

export const NOW_MS = Date.UTC(2026, 10, 20, 12, 10, 0);

export const someCamera = (changes: Partial<CameraStatus> = {}): CameraStatus => ({
  cameraId: 'gate',
  title: 'Gate',
  state: 'live',
  sinceMs: NOW_MS - 600_000,
  detail: null,
  pid: 4711,
  pauseMs: null,
  lastFragmentAgeMs: 400,
  lastFrameAgeMs: 100,
  recording: false,
  unrecordedMs: null,
  alertness: 'quiet',
  decoded: 10,
  suppressed: {},
  ...changes,
});

export const somePower = (changes: Partial<PowerStatus> = {}): PowerStatus => ({
  state: 'on-mains',
  isWatched: true,
  sinceMs: NOW_MS - 600_000,
  detail: null,
  volts: 12.34,
  amps: 0.21,
  percent: 92.6,
  minutesLeft: null,
  shutdown: null,
  ...changes,
});

export interface Machine {
  facts: ReportedHealth | null;
  disk: Disk;
  versions: ReportedVersions;
}

/** A Raspberry Pi 5 that is well. */
export const someMachine = (changes: Partial<ReportedHealth> = {}): Machine => ({
  facts: {
    cpuCelsius: 54.4,
    throttled: [],
    load1: 0.63,
    cores: 4,
    memoryTotalBytes: 8_200_000_000,
    memoryAvailableBytes: 6_500_000_000,
    agentBytes: 420_000_000,
    uptimeSeconds: 12 * 86_400,
    agentUptimeSeconds: 3 * 3_600,
    clock: 'synchronised',
    ...changes,
  },
  disk: { diskFreeBytes: 41_000_000_000, diskTotalBytes: 58_000_000_000 },
  versions: {
    agent: '0.1.0',
    node: '24.21.0',
    kernel: '6.12.47+rpt-rpi-2712',
    os: 'Debian GNU/Linux 13 (trixie)',
    hardware: 'Raspberry Pi 5 Model B Rev 1.0',
  },
});

/** What the dashboard is told; change it and the next request sees it. */
export interface World {
  clips: Clip[];
  cameras: CameraStatus[];
  link: LinkStatus;
  upload: UploadStatus;
  bestFrame: DashboardDeps['bestFrame'];
  power: PowerStatus;
  machine: Machine;
  desired: { version: number; refused: readonly Refusal[] };
  /** Lines of its log. */
  readonly lines: string[];
  readonly dashboard: Dashboard;
}

/** Over power, machine and settings of the world, for a dashboard that shall know them. */
export const withMachine = (world: () => Pick<World, 'power' | 'machine' | 'desired'>) => ({
  power: () => world().power,
  health: {
    facts: () => world().machine.facts,
    disk: () => world().machine.disk,
    versions: () => world().machine.versions,
  },
  desired: () => world().desired,
});

/** A dashboard over a world made of plain values, on a port of the system's choice. Not started yet. */
export function createWorld(changes: Partial<Parameters<typeof createDashboard>[0]> = {}): World {
  const lines: string[] = [];
  const clips: Clip[] = [];
  const world = {
    clips,
    cameras: [someCamera()],
    link: { state: 'online', sinceMs: NOW_MS - 600_000, detail: null } as LinkStatus,
    upload: { state: 'idle', clipId: null, detail: null } as UploadStatus,
    bestFrame: (async () => undefined) as DashboardDeps['bestFrame'],
    power: somePower(),
    machine: someMachine(),
    desired: { version: 0, refused: [] as readonly Refusal[] },
    lines,
  };
  const dashboard = createDashboard({
    deviceId: 'house-1',
    host: '127.0.0.1',
    port: 0,
    timeZone: 'Europe/Kyiv',
    ledger: createLedgerView(clips),
    cameras: () => world.cameras,
    link: () => world.link,
    upload: () => world.upload,
    bestFrame: (clipId) => world.bestFrame(clipId),
    clock: { nowMs: () => NOW_MS, monotonicMs: () => performance.now() },
    log: createLog('debug', (line) => lines.push(line)),
    ...changes,
  });
  return Object.assign(world, { dashboard });
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The body as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever it is, the test says what it expects
  readonly json: () => any;
}

/** One plain request: nothing is decoded, followed or normalised on the way, unlike with fetch. */
export function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asking = request(
      { hostname, port, path, ...options, agent: false, timeout: 30_000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const headers = response.headers as Record<string, string | undefined>;
          resolve({
            status: response.statusCode ?? 0,
            headers,
            body,
            json: () => JSON.parse(body.toString()),
          });
        });
      },
    );
    asking.on('timeout', () => asking.destroy(new Error(`no answer to ${path}`)));
    asking.on('error', reject);
    asking.end();
  });
}
