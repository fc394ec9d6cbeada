/** The agent's capture room in a process of its own, which says what it holds. Argument: JSON of `ProgramOptions`.
 *  Told `look`, it answers with `Held`; it ends with its parent. */
import { mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCapture } from '../../../../agent/capture/capture.ts';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import { createLog } from '../../../../agent/kernel/log.ts';

export interface ProgramOptions {
  readonly main: string;
  readonly sub: string;
  readonly dir: string;
  /** Keeps a file open for each child, to see whether that is noticed. */
  readonly leaks: boolean;
}

/** What this process holds, its garbage collected. */
export interface Held {
  readonly state: string;
  readonly childPid: number | null;
  readonly descriptors: number;
  /** Timers, sockets, pipes and the like by which the event loop is kept. */
  readonly resources: number;
  readonly heapMb: number;
}

const { main, sub, dir, leaks } = JSON.parse(process.argv[2] ?? '') as ProgramOptions;
mkdirSync(dir, { recursive: true });
const files = new Map<string, string>();
let clips = 0;
function forget(clipId: string): void {
  const file = files.get(clipId) ?? '';
  rmSync(file, { force: true });
  files.delete(clipId);
}
const { HOME = '', PATH = '', NODE_COMPILE_CACHE } = process.env;
const capture = createCapture({
  cameras: [{ config: { id: 'gate', main, sub, sensitivity: 5 }, credential: undefined }],
  recording: { preRollMs: 1_000, postRollMs: 2_000 },
  clock: systemClock,
  log: createLog('silent'),
  environment: { HOME, PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) },
  // Quicker than in the product: a hundred connections in minutes.
  timings: { heartbeatMs: 200, stalledMs: 1_500, giveUpMs: 3_000, connectMs: 20_000, killMs: 20_000 },
  backoff: { minMs: 100, maxMs: 500 },
  store: {
    open: () => {
      const clipId = `clip-${++clips}`;
      const partFile = join(dir, `${clipId}.mp4.part`);
      files.set(clipId, partFile);
      return { clipId, partFile };
    },
    written: forget,
    thumbnail: () => undefined,
    abandoned: async (clipId) => forget(clipId),
  },
});
let leakedFor: number | undefined;
await capture.start();
process.on('disconnect', () => process.exit());
process.on('message', () => {
  (globalThis as { gc?: () => void }).gc?.();
  const [camera] = capture.status();
  if (leaks && camera?.pid != null && camera.pid !== leakedFor) {
    openSync(dir, 'r');
    leakedFor = camera.pid;
  }
  const held: Held = {
    state: camera?.state ?? 'none',
    childPid: camera?.pid ?? null,
    descriptors: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
    heapMb: process.memoryUsage().heapUsed / 2 ** 20,
  };
  process.send?.(held);
});
