/** The agent's capture room in a process of its own, with its children, as in the agent; clips go to a folder.
 *  Argument: JSON of `WatchOptions`. It ends with its parent. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCapture } from '../../../../agent/capture/capture.ts';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { cacheDir } from '../../places.ts';

export interface WatchOptions {
  readonly cameras: readonly { readonly main: string; readonly sub: string }[];
  readonly dir: string;
}

const options = JSON.parse(process.argv[2] ?? '') as WatchOptions;
mkdirSync(options.dir, { recursive: true });
let clips = 0;
const files = new Map<string, string>();
/** Nobody wants them: a busy scene fills a disk. */
function forget(clipId: string): void {
  rmSync(files.get(clipId) ?? '', { force: true });
  files.delete(clipId);
}
const { HOME = '', PATH = '' } = process.env;
const capture = createCapture({
  cameras: options.cameras.map(({ main, sub }, index) => ({
    config: { id: `camera-${index}`, main, sub, sensitivity: 5 },
    credential: undefined,
  })),
  recording: { preRollMs: 5_000, postRollMs: 30_000 },
  clock: systemClock,
  log: createLog('warn', (line) => process.stderr.write(line)),
  environment: { HOME, PATH, NODE_COMPILE_CACHE: join(cacheDir(), 'compiled') },
  store: {
    open: () => {
      const clipId = `clip-${++clips}`;
      const partFile = join(options.dir, `${clipId}.mp4.part`);
      files.set(clipId, partFile);
      return { clipId, partFile };
    },
    written: forget,
    thumbnail: () => undefined,
    abandoned: async (clipId) => forget(clipId),
  },
});
await capture.start();
process.on('disconnect', () => process.exit());
process.on('message', () => {
  process.send?.({ states: capture.status().map(({ state }) => state), clips });
});
