import type Sqlite from 'better-sqlite3';
import type { RuntimeStatus } from './wire.ts';

export interface InstanceRow {
  readonly id: string;
  readonly execution: string;
  readonly name: string;
  readonly version: string | null;
  readonly status: RuntimeStatus;
  /** JSON text, as the next two. */
  readonly input: string | null;
  readonly output: string | null;
  readonly custom_status: string | null;
  readonly created_ms: number;
  readonly updated_ms: number;
  readonly parent_id: string | null;
  readonly parent_execution: string | null;
  readonly parent_task: number | null;
}

export interface ActivityRow {
  readonly seq: number;
  readonly instance: string;
  readonly execution: string;
  readonly task: number;
  readonly name: string;
  /** JSON text. */
  readonly input: string;
  readonly attempts: number;
}

export type HistorySql = ReturnType<typeof prepareHistory>;

/** The statements `history.ts` is made of. */
export const prepareHistory = (db: Sqlite.Database) => ({
  instance: db.prepare<[string], InstanceRow>('SELECT * FROM instances WHERE id = ?'),
  insertInstance: db.prepare(
    `INSERT INTO instances VALUES
     (@id, @execution, @name, @version, 'Pending', @input, NULL, NULL, @nowMs, @nowMs, @parentId, @parentExecution, @parentTask)`,
  ),
  update: db.prepare(
    `UPDATE instances SET status = @status, output = @output, custom_status = @customStatus, updated_ms = @nowMs
     WHERE id = @id`,
  ),
  setStatus: db.prepare('UPDATE instances SET status = ?, output = ?, updated_ms = ? WHERE id = ?'),
  restart: db.prepare(
    'UPDATE instances SET execution = ?, input = ?, custom_status = ?, updated_ms = ? WHERE id = ?',
  ),
  history: db.prepare<[string], { event: string }>(
    'SELECT event FROM history WHERE instance = ? ORDER BY seq',
  ),
  lastSeq: db.prepare<[string], { seq: number | null }>(
    'SELECT max(seq) AS seq FROM history WHERE instance = ?',
  ),
  append: db.prepare('INSERT INTO history VALUES (?, ?, ?)'),
  arrived: db.prepare<[string], { seq: number; event: string }>(
    'SELECT seq, event FROM inbox WHERE instance = ? ORDER BY seq LIMIT 1000',
  ),
  late: db.prepare<[string], { event: string }>('SELECT event FROM inbox WHERE instance = ? ORDER BY seq'),
  post: db.prepare('INSERT INTO inbox (instance, event) VALUES (?, ?)'),
  taken: db.prepare('DELETE FROM inbox WHERE instance = ? AND seq <= ?'),
  // Walks the inbox from its oldest message and stops after a hundred instances, however much lies there.
  runnable: db.prepare<[string], { instance: string }>(
    `SELECT inbox.instance FROM inbox JOIN instances ON instances.id = inbox.instance
     WHERE instances.status IN ('Pending', 'Running', 'Suspended')
       AND NOT EXISTS (SELECT 1 FROM inbox AS before WHERE before.instance = inbox.instance AND before.seq < inbox.seq)
       AND inbox.instance NOT IN (SELECT value FROM json_each(?))
     ORDER BY inbox.seq LIMIT 100`,
  ),
  addActivity: db.prepare(
    'INSERT INTO activities (instance, execution, task, name, input) VALUES (?, ?, ?, ?, ?)',
  ),
  activities: db.prepare<[number], ActivityRow>('SELECT * FROM activities ORDER BY seq LIMIT ?'),
  beginActivity: db.prepare('UPDATE activities SET attempts = attempts + 1 WHERE seq = ?'),
  endActivity: db.prepare('DELETE FROM activities WHERE seq = ?'),
  addTimer: db.prepare('INSERT OR REPLACE INTO timers VALUES (?, ?, ?)'),
  dropTimer: db.prepare('DELETE FROM timers WHERE instance = ? AND task = ?'),
  nextTimer: db.prepare<[], { due_ms: number | null }>('SELECT min(due_ms) AS due_ms FROM timers'),
  dueTimers: db.prepare<[number], { instance: string; task: number; due_ms: number }>(
    'SELECT * FROM timers WHERE due_ms <= ? ORDER BY due_ms, instance, task LIMIT 1000',
  ),
  forget: ['history', 'inbox', 'activities', 'timers'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE instance = ?`),
  ),
  deleteInstance: db.prepare('DELETE FROM instances WHERE id = ?'),
});
