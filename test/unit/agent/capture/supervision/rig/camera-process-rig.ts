import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import {
  type CameraProcessDeps,
  createCameraProcess,
} from '../../../../../../agent/capture/supervision/camera-process.ts';
import { createConditions } from '../../../../../../agent/kernel/conditions.ts';
import { createFakeClock } from '../../../../../fakes/clock.ts';
import { createLogBook } from '../../../../../fakes/log-book.ts';
import { type Heartbeat, heartbeat, settingsOf, timings } from './camera-settings.ts';
import { createToldChildren, type ToldChild, until } from './told-children.ts';
import { createToldProbe } from './told-probe.ts';

/** A camera's supervision with real processes that do what the test says, a probe that answers what the test says, and
 *  time that passes only when the test says so. */
export async function createCameraRig(t: TestContext, more: Partial<CameraProcessDeps> = {}) {
  const children = await createToldChildren();
  const clock = createFakeClock();
  const book = createLogBook();
  const conditions = createConditions({ clock, log: book.log });
  const probe = createToldProbe(clock);
  const kept: string[] = [];
  const suppressed = { kept: [] as unknown[], counted: [] as Readonly<Record<string, number>>[] };
  const process = createCameraProcess({
    settings: settingsOf(),
    paused: false,
    sparing: false,
    after: Promise.resolve(),
    store: {
      open: ({ triggeredMs }) => ({ clipId: `c${triggeredMs}`, partFile: `/clips/c${triggeredMs}` }),
      written: (clipId) => void kept.push(`written ${clipId}`),
      thumbnail: (partFile) => void kept.push(`thumbnail ${partFile}`),
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
    environment: children.environment,
    probe,
    fork: children.fork,
    ...more,
  });
  t.after(async () => {
    const ended = process.stop();
    children.letGo();
    await ended;
    children.close();
  });

  /** A child that was told to end this way is gone, and was dealt with. */
  const isDown = () => until('the camera is down', () => process.status().pauseMs !== null);
  /** Sends a heartbeat and waits until it was taken. */
  async function beat(from: ToldChild, more: Partial<Heartbeat> = {}): Promise<void> {
    const before = suppressed.counted.length;
    from.send(heartbeat(more));
    await until('a heartbeat', () => suppressed.counted.length > before);
  }
  return {
    process,
    clock,
    probe,
    kept,
    suppressed,
    conditions,
    book,
    child: children.child,
    isDown,
    beat,
    status: () => process.status(),
    forks: children.forks,
  };
}

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
/** When the camera was probed next, waiting at most so long. */
export async function nextAsk(
  it: Awaited<ReturnType<typeof createCameraRig>>,
  withinMs: number,
): Promise<number> {
  const before = it.clock.monotonicMs();
  const { length } = it.probe.asked;
  // In steps shorter than any wait, so that it is the next one and none behind it.
  for (let left = withinMs; left > 0 && it.probe.asked.length === length; left -= 50)
    await it.clock.advance(Math.min(50, left));
  const next = it.probe.asked[length] ?? assert.fail('it was not asked');
  return next.atMs - before;
}
export const withinJitter = (ms: number, middle: number) => ms >= middle * 0.5 && ms <= middle * 1.5;
