import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach } from 'node:test';
import type { Clip } from '../../../../agent/ledger/ledger.ts';
import { clipIdOf, someClip } from '../../../fakes/ledger-view.ts';
import { ask, createWorld, NOW_MS, type Reply, type World } from './dashboard-world.ts';

/** What a clip's file holds. */
export const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));

/** The page of an appliance, served anew for each test of a file. */
export function servePage() {
  let dir = '';
  let world: World;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dashboard-'));
    await writeFile(join(dir, 'clip.mp4'), BYTES);
    await writeFile(join(dir, 'best.jpg'), 'a picture');
  });
  beforeEach(async () => {
    await world?.dashboard.stop();
    world = createWorld();
    await world.dashboard.start();
  });
  after(async () => {
    await world.dashboard.stop();
    await rm(dir, { recursive: true });
  });
  return {
    get world() {
      return world;
    },
    get dir() {
      return dir;
    },
    get url() {
      return world.dashboard.url();
    },
    get: (path: string, headers: Record<string, string> = {}) =>
      ask(world.dashboard.url(), path, { headers }),
    /** The appliance has this clip. */
    keep: (n: number, changes: Partial<Clip> = {}) =>
      world.clips.push(someClip(n, { file: join(dir, 'clip.mp4'), ...changes })),
  };
}

export const judged = (n: number): Partial<Clip> => ({
  state: 'judged',
  uploadedMs: NOW_MS,
  judgedMs: NOW_MS,
  verdict: {
    clip_id: clipIdOf(n),
    revision: 2,
    instance_id: 'clip-1',
    verdict: 'person',
    labels: ['person', 'dog'],
    confidence: 0.87,
    best_frame: { blobName: 'x/y.best.jpg', at_ms: 6000, boxes: [] },
    decided_utc: '2026-11-20T12:05:00Z',
    decision: 'notified',
    reason: 'A person was seen.',
  },
});

export function assertProblem(reply: Reply, status: number, code: string): void {
  assert.equal(reply.status, status);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  assert.equal(reply.json().type, `urn:dachawatch:problem:${code}`);
  assert.equal(reply.json().status, status);
  assert.match(reply.json().title, /\.$/);
}
