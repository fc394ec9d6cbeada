import { request } from 'node:http';
import type { CameraStatus } from '../../../../agent/capture/capture.ts';
import {
  createDashboard,
  type Dashboard,
  type DashboardDeps,
} from '../../../../agent/dashboard/dashboard.ts';
import type { LinkStatus } from '../../../../agent/hub/hub.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import type { Clip } from '../../../../agent/ledger/ledger.ts';
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
  lastFragmentAgeMs: 400,
  lastFrameAgeMs: 100,
  recording: false,
  suppressed: {},
  ...changes,
});

/** What the dashboard is told; change it and the next request sees it. */
export interface World {
  clips: Clip[];
  cameras: CameraStatus[];
  link: LinkStatus;
  upload: UploadStatus;
  bestFrame: DashboardDeps['bestFrame'];
  /** Lines of its log. */
  readonly lines: string[];
  readonly dashboard: Dashboard;
}

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
    lines,
  };
  const dashboard = createDashboard({
    deviceId: 'house-1',
    host: '127.0.0.1',
    port: 0,
    ledger: createLedgerView(clips),
    cameras: () => world.cameras,
    link: () => world.link,
    upload: () => world.upload,
    bestFrame: (clipId) => world.bestFrame(clipId),
    clock: { nowMs: () => NOW_MS },
    log: createLog('debug', (line) => lines.push(line)),
    ...changes,
  });
  return Object.assign(world, { dashboard });
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** The body as JSON; whatever it is, the test says what it expects. */
  // oxlint-disable-next-line typescript/no-explicit-any
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
