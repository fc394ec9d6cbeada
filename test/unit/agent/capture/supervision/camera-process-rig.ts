import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CameraDoor,
  ClosedDoor,
  DoorStream,
} from '../../../../../agent/capture/supervision/camera-door.ts';
import {
  type CameraProcessDeps,
  createCameraProcess,
} from '../../../../../agent/capture/supervision/camera-process.ts';
import { forkChild } from '../../../../../agent/capture/supervision/fork-child.ts';
import type { CaptureTimings, FromChild, ToChild } from '../../../../../agent/capture/messages.ts';
import type { CameraSettings } from '../../../../../agent/capture/supervision/settings-change.ts';
import { createConditions } from '../../../../../agent/kernel/conditions.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';
import type { Order } from './told-child.ts';

const PROGRAM = new URL('told-child.ts', import.meta.url);

/** Long enough apart that no test meets two of them at once. */
export const timings: CaptureTimings = {
  heartbeatMs: 1_000,
  connectMs: 15_000,
  keyFrameMs: 150_000,
  stalledMs: 5_000,
  giveUpMs: 10_000,
  killMs: 20_000,
  stopMs: 8_000,
};
export const login = { username: 'viewer', password: 'secret' };
export const settingsOf = (more: Partial<CameraSettings['config']> = {}): CameraSettings => ({
  config: {
    id: 'gate',
    title: 'Gate',
    main: 'rtsp://camera/main',
    sub: 'rtsp://camera/sub',
    sensitivity: 5,
    ...more,
  },
  credential: login,
  recording: { preRollMs: 5_000, postRollMs: 10_000 },
});

type Heartbeat = Extract<FromChild, { type: 'heartbeat' }>;
export const heartbeat = (more: Partial<Heartbeat> = {}): Heartbeat => ({
  type: 'heartbeat',
  lastFragmentAgeMs: 100,
  lastFrameAgeMs: 50,
  silentMs: 0,
  keyFrames: null,
  recording: false,
  unrecordedMs: null,
  suppressed: {},
  ...more,
});
/** Of a camera that has shown nothing yet. */
export const blind = { lastFragmentAgeMs: null, lastFrameAgeMs: null } as const;

/** Asks until there is an answer. */
export async function until<T>(what: string, ask: () => T | undefined | false): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = ask();
    if (answer) return answer;
    if (performance.now() > deadline) assert.fail(`waited in vain: ${what}`);
    await sleep(5);
  }
}

/** A forked process, as the test sees it. */
export interface ToldChild {
  readonly pid: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What it was sent, in order. */
  readonly got: readonly ToChild[];
  tell(order: Order): void;
  send(message: FromChild): void;
  /** Waits for the newest message of this kind, or the `nth`. */
  received<K extends ToChild['type']>(type: K, nth?: number): Promise<Extract<ToChild, { type: K }>>;
}

const isOf = <K extends ToChild['type']>(
  message: ToChild,
  type: K,
): message is Extract<ToChild, { type: K }> => message.type === type;

/** A camera's supervision with real processes that do what the test says, a door that answers what the test says, and
 *  time that passes only when the test says so. */
export async function createCameraRig(t: TestContext, more: Partial<CameraProcessDeps> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-told-'));
  const path = join(dir, 'socket');
  const children: ToldChild[] = [];
  const sockets = new Set<Socket>();
  let over = false;
  const serve = (socket: Socket) => {
    socket.on('error', () => undefined);
    if (over) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    const got: ToChild[] = [];
    const tell = (order: Order) => void socket.write(`${JSON.stringify(order)}\n`);
    const lines = createInterface({ input: socket });
    // A child that is killed resets its connection, and that is an error of its lines, too.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const told = JSON.parse(line) as
        | { pid: number; environment: Record<string, string> }
        | { message: ToChild };
      if ('message' in told) {
        got.push(told.message);
        return;
      }
      children.push({
        ...told,
        got,
        tell,
        send: (message) => tell({ send: message }),
        received: (type, nth = 0) =>
          until(`message ${type}`, () => got.filter((one) => isOf(one, type))[nth]),
      });
    });
  };
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(path, resolve));

  const clock = createFakeClock();
  const book = createLogBook();
  const conditions = createConditions({ clock, log: book.log });
  const door = {
    /** What it answers; undefined: open. */
    closed: undefined as ClosedDoor | undefined,
    /** Holds up its answer. */
    holds: undefined as Promise<void> | undefined,
    refusal: { detail: 'the login is refused', waitMs: 60_000 } as ClosedDoor,
    asked: [] as { readonly atMs: number; readonly streams: readonly DoorStream[] }[],
    refusals: [] as string[],
  };
  const doorKeeper: CameraDoor = {
    ask: async (_cameraId, streams, signal) => {
      door.asked.push({ atMs: clock.monotonicMs(), streams });
      const gaveUp = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      if (door.holds) await Promise.race([door.holds, gaveUp]);
      return door.closed;
    },
    refused: (_cameraId, { name }) => {
      door.refusals.push(name);
      return door.refusal;
    },
  };
  const kept: string[] = [];
  const suppressed = { kept: [] as unknown[], counted: [] as Readonly<Record<string, number>>[] };
  /** Forked so far, also those that have not yet said so. */
  let forks = 0;
  const process = createCameraProcess({
    settings: settingsOf(),
    paused: false,
    after: Promise.resolve(),
    store: {
      open: ({ triggeredMs }) => ({ clipId: `c${triggeredMs}`, partFile: `/clips/c${triggeredMs}` }),
      written: (clipId) => void kept.push(`written ${clipId}`),
      abandoned: async (clipId, reason) => void kept.push(`abandoned ${clipId}: ${reason}`),
    },
    suppressed: {
      keep: (_cameraId, record) => void suppressed.kept.push(record),
      count: (_cameraId, totals) => void suppressed.counted.push(totals),
    },
    conditions,
    clock,
    log: book.log,
    timings,
    backoff: { minMs: 1_000, maxMs: 1_000_000 },
    environment: { TEST_SOCKET: path },
    door: doorKeeper,
    fork: (environment, said) => {
      forks++;
      return forkChild(environment, said, PROGRAM);
    },
    ...more,
  });
  t.after(async () => {
    over = true;
    const ended = process.stop();
    for (const socket of sockets) socket.destroy();
    await ended;
    server.close();
    rmSync(dir, { recursive: true });
  });

  /** The `nth` child, when it runs and was told what to do. */
  async function child(nth = 0): Promise<ToldChild> {
    const found = await until(`child ${nth}`, () => children[nth]);
    await found.received('configure');
    return found;
  }
  /** A child that was told to end this way is gone, and was dealt with. */
  const isDown = () => until('the camera is down', () => process.status().state === 'down');
  /** Sends a heartbeat and waits until it was taken. */
  async function beat(from: ToldChild, more: Partial<Heartbeat> = {}): Promise<void> {
    const before = suppressed.counted.length;
    from.send(heartbeat(more));
    await until('a heartbeat', () => suppressed.counted.length > before);
  }
  return {
    process,
    clock,
    door,
    kept,
    suppressed,
    conditions,
    book,
    child,
    isDown,
    beat,
    status: () => process.status(),
    forks: () => forks,
  };
}

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** What a child says of a clip. */
export const clip = { startedMs: 1, preRollMs: 2, durationMs: 3, bytes: 4, sha256: 'x' };
export const trigger = (requestId: number, triggeredMs: number) =>
  ({ type: 'trigger', requestId, triggeredMs, cause: { kind: 'zone', id: 'drive' } }) as const;

/** Ends a child that was live for so long. */
export async function liveFor(it: Awaited<ReturnType<typeof createCameraRig>>, child: ToldChild, ms: number) {
  await it.beat(child);
  for (let left = ms; left > 0; left -= 4_000) {
    await it.clock.advance(Math.min(left, 4_000));
    if (left > 4_000) await it.beat(child);
  }
  child.tell({ exit: 1 });
  await it.isDown();
}
/** When the door was asked next, waiting at most so long. */
export async function nextAsk(
  it: Awaited<ReturnType<typeof createCameraRig>>,
  withinMs: number,
): Promise<number> {
  const before = it.clock.monotonicMs();
  const { length } = it.door.asked;
  // In steps shorter than any wait, so that it is the next one and none behind it.
  for (let left = withinMs; left > 0 && it.door.asked.length === length; left -= 50)
    await it.clock.advance(Math.min(50, left));
  const next = it.door.asked[length] ?? assert.fail('it was not asked');
  return next.atMs - before;
}
export const withinJitter = (ms: number, middle: number) => ms >= middle * 0.5 && ms <= middle * 1.5;
