import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach } from 'node:test';
import type Sqlite from 'better-sqlite3';
import { openDatabase } from '../../../../../../cloud-fn/local/functions-host/engine/database.ts';
import type { Episode, EpisodeEnd } from '../../../../../../cloud-fn/local/functions-host/engine/episode.ts';
import {
  createHistory,
  type History,
} from '../../../../../../cloud-fn/local/functions-host/engine/history.ts';
import type { ScheduledTask } from '../../../../../../cloud-fn/local/functions-host/engine/replay/scheduled-task.ts';

export const NOW_MS = Date.UTC(2026, 10, 21, 12);
export const RUNNING: EpisodeEnd = { status: 'Running' };

/** A history in a database of its own for each test of a file. */
export function useHistory() {
  const root = mkdtempSync(join(tmpdir(), 'dacha-history-'));
  let folders = 0;
  let db: Sqlite.Database;
  let history: History;

  beforeEach(() => {
    db = openDatabase(join(root, String((folders += 1))));
    history = createHistory({ db });
  });
  afterEach(() => db.close());
  after(() => rmSync(root, { recursive: true, force: true }));

  const start = (id: string, input: string | null = null) =>
    history.start({ id, name: 'parent', input }, NOW_MS);
  const row = (id: string) => {
    const found = history.instance(id);
    assert.ok(found, `no instance ${id}`);
    return found;
  };
  /** Stores one episode over everything that has arrived. */
  function episode(id: string, end: EpisodeEnd = RUNNING, more: Partial<Episode> = {}, nowMs = NOW_MS) {
    const arrived = history.arrivedFor(id);
    return history.storeEpisode(
      row(id),
      arrived.at(-1)?.seq ?? 0,
      {
        appended: arrived.map((message) => message.event),
        scheduled: [],
        cancelledTimers: [],
        customStatus: undefined,
        end,
        ...more,
      },
      nowMs,
    );
  }
  const types = (id: string) => history.arrivedFor(id).map((message) => message.event.EventType);
  const lastOf = (id: string) => history.arrivedFor(id).at(-1)?.event;

  return {
    ...{ start, row, episode, types, lastOf },
    get history() {
      return history;
    },
    get db() {
      return db;
    },
  };
}

export const activity = (id: number, name = 'Echo'): ScheduledTask => ({
  kind: 'activity',
  id,
  name,
  input: { n: id },
});
export const timer = (id: number, fireAtMs: number, cancelled = false): ScheduledTask => ({
  kind: 'timer',
  id,
  fireAtMs,
  cancelled,
});
export const child = (id: number, instanceId?: string): ScheduledTask => ({
  kind: 'sub-orchestration',
  id,
  name: 'child',
  input: id,
  instanceId,
  version: undefined,
});
