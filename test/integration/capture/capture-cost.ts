/** What a quiet capture child costs: CPU seconds a minute, of the children of several checkouts side by side, at the
 *  same time and from cameras that show the same, so that a busy machine is equally busy for all of them.
 *
 *    node test/integration/capture/capture-cost.ts [--rounds 5] [--warm 10] [--seconds 60] CHECKOUT [CHECKOUT ...]
 *
 *  V8 compiles for the first minutes: with `--warm 180` that is not measured.
 */
import { existsSync } from 'node:fs';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type CameraSimulator, startCamera } from '../../../hardware/simulators/camera/camera.ts';
import { makeVideo } from '../../fakes/media.ts';

const TIMINGS = {
  heartbeatMs: 1000,
  connectMs: 15_000,
  keyFrameMs: 150_000,
  stalledMs: 5000,
  giveUpMs: 10_000,
  killMs: 20_000,
  stopMs: 8000,
};
/** The kernel's unit of CPU time, USER_HZ. */
const TICKS_PER_S = 100;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    warm: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
  },
});
const checkouts = positionals.length > 0 ? positionals : ['.'];
const seconds = Number(values.seconds);

/** User and system time, as `ps` shows it. */
async function cpuS(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / TICKS_PER_S;
}

/** Where versions have the program of a camera's process, the newest first. */
const PROGRAMS = ['agent/capture/child/main.ts', 'agent/capture/child.ts'];
const programOf = (checkout: string): string => {
  const program = PROGRAMS.map((path) => resolve(checkout, path)).find((path) => existsSync(path));
  if (!program) throw new Error(`${checkout} has no capture process`);
  return program;
};

const dir = await mkdtemp(join(tmpdir(), 'dachawatch-cost-'));
const video = join(dir, 'still.mp4');
await makeVideo(video, { seconds: 20, fps: 15, width: 1280, height: 720, kind: 'still' });
// One viewer each: the simulator mixes up the time stamps of two viewers of one stream.
const cameras: CameraSimulator[] = [];
for (const _ of checkouts) cameras.push(await startCamera({ video, cacheDir: dir }));
const costs = checkouts.map(() => [] as number[]);
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    let whole = true;
    const children = checkouts.map((checkout, index) => {
      const camera = cameras[index] as CameraSimulator;
      const child = fork(programOf(checkout), [], {
        execArgv: [],
        env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
      });
      child.on('message', (message: { type: string; detail?: string }) => {
        if (message.type !== 'failing') return;
        whole = false;
        process.stderr.write(`a round is lost: ${checkout}: ${message.detail}\n`);
      });
      child.send({
        type: 'configure',
        camera: { id: 'quiet', main: camera.mainUrl, sub: camera.subUrl, sensitivity: 5 },
        credential: null,
        credentials: { main: null, sub: null },
        // Earlier versions had a relay.
        relayed: [],
        recording: { preRollMs: 5000, postRollMs: 30_000 },
        timings: TIMINGS,
        paused: false,
      });
      return child;
    });
    // Start, connecting and learning are not what is measured.
    await sleep(Number(values.warm) * 1000);
    const before = await Promise.all(children.map(({ pid }) => cpuS(pid)));
    await sleep(seconds * 1000);
    const after = await Promise.all(children.map(({ pid }) => cpuS(pid)));
    await Promise.all(children.map(end));
    if (!whole) continue;
    for (const [index, cost] of costs.entries())
      cost.push((((after[index] ?? 0) - (before[index] ?? 0)) * 60) / seconds);
  }
} finally {
  await Promise.all(cameras.map((camera) => camera.stop()));
  await rm(dir, { recursive: true, force: true });
}
for (const [index, cost] of costs.entries()) {
  const sorted = cost.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const runs = cost.map((one) => one.toFixed(2)).join(' ');
  process.stdout.write(`${checkouts[index]}: median ${median.toFixed(2)} CPU s a minute (${runs})\n`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.send({ type: 'stop' });
  await exited;
}
