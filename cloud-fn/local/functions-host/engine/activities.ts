import { setTimeout as delay } from 'node:timers/promises';
import { AppGone } from '../app-gone.ts';
import type { RpcData } from '../core-api.ts';
import { byAnyCase, type HostedFunction } from '../triggers/bindings.ts';
import type { HiddenWork } from '../hostile/hidden-work.ts';
import { exceptionJson } from './failure-text.ts';
import type { ActivityResult, History } from './history.ts';
import type { ActivityRow } from './history-sql.ts';
import { jsonOf, type Invoke, type Log } from '../triggers/invoke.ts';
import type { FailureDetails } from './wire.ts';

/** An activity that was begun this often without an end takes the process down with it: give up. */
const MAX_BEGUN = 20;
const NOT_STORED_PAUSE_MS = 1000;

export interface ActivitiesDeps {
  readonly history: Pick<History, 'activities' | 'beginActivities' | 'endActivity' | 'together'>;
  readonly functions: ReadonlyMap<string, HostedFunction>;
  readonly invoke: Invoke;
  readonly nowMs: () => number;
  readonly concurrency: number;
  readonly log: Log;
  /** Only on a hostile host: there an activity also fails when its app dies, as on the real one. */
  readonly hidden?: HiddenWork | undefined;
  /** A result is in an inbox. */
  readonly onEnded: () => void;
}

/** Runs the activities that orchestrations have asked for, at least once each, a bounded number at a time.
 *  After a restart the unfinished ones run again: that is why activities must be idempotent. */
export function createActivities(deps: ActivitiesDeps) {
  const { history, concurrency } = deps;
  const functions = byAnyCase(deps.functions);
  const running = new Map<number, Promise<void>>();

  const resultOf = async (row: ActivityRow): Promise<ActivityResult> => {
    if (row.attempts >= MAX_BEGUN)
      return failure(row.name, `it was begun ${row.attempts} times and never ended`, '');
    const target = functions.get(row.name.toLowerCase());
    if (target === undefined) return failure(row.name, 'no activity of that name is registered', '');
    const input = JSON.parse(row.input) as unknown;
    try {
      const data = dataOf(input);
      const metadata = { instanceId: { string: row.instance }, [target.triggerName]: data, data };
      return { ok: true, result: jsonOf(await deps.invoke(target, { data, metadata })) };
    } catch (error) {
      if (error instanceof AppGone && deps.hidden === undefined) throw error;
      const { message, stack } = error instanceof Error ? error : { message: String(error), stack: '' };
      const failureDetails = failureDetailsOf(message);
      const text = failureDetails?.ErrorMessage ?? message;
      return {
        ...failure(row.name, text, exceptionJson(text, stack ?? '')),
        ...(failureDetails ? { failureDetails } : {}),
      };
    }
  };

  /** @param trouble why its beginning could not be stored */
  const run = async (row: ActivityRow, trouble: Error | undefined) => {
    try {
      if (trouble) throw trouble;
      const result = await resultOf(row);
      await history.together(() => history.endActivity(row, result, deps.nowMs()));
    } catch (error) {
      deps.log({ event: 'activity.not-stored', function: row.name, message: (error as Error).message });
      // The disk is full, the app has died, or worse. It will run again: not at once.
      await delay(NOT_STORED_PAUSE_MS);
    } finally {
      running.delete(row.seq);
      deps.onEnded();
    }
  };

  const isHidden = ({ seq, instance, name }: ActivityRow) =>
    deps.hidden?.isHidden(`activity ${seq}`, `${name} ${instance}`) === true;
  const startable = () => {
    const rows = history.activities(deps.hidden === undefined ? concurrency * 2 : -1);
    return rows.filter((row) => !running.has(row.seq) && !isHidden(row));
  };

  const begin = (rows: readonly ActivityRow[]): Error | undefined => {
    try {
      history.beginActivities(rows);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };

  return {
    /** Starts what can be started. */
    kick: () => {
      if (running.size >= concurrency) return;
      const rows = startable().slice(0, concurrency - running.size);
      if (rows.length === 0) return;
      const trouble = begin(rows);
      for (const row of rows) running.set(row.seq, run(row, trouble));
    },
    running: () => running.size,
    /** Resolves when none is running any more. */
    drained: async () => {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

/** An activity's input as the real host hands it over: everything is a text, of JSON where it is more than one
 *  value; the library reads it as JSON where it can. So `true` becomes "True", and nothing stays nothing. */
function dataOf(input: unknown): RpcData {
  if (input === null || input === undefined) return {};
  if (typeof input === 'boolean') return { string: input ? 'True' : 'False' };
  return { string: typeof input === 'string' ? input : JSON.stringify(input) };
}

const failure = (name: string, message: string, details: string) =>
  ({ ok: false, reason: `Activity function '${name}' failed: ${message}`, details }) as const;

/** Details an app with an exception-properties provider has put into its error's message, as JSON. */
function failureDetailsOf(message: string): FailureDetails | undefined {
  if (!message.startsWith('{"errorType"')) return undefined;
  const given = JSON.parse(message) as Record<string, unknown>;
  return {
    ErrorType: String(given['errorType']),
    ErrorMessage: String(given['errorMessage']),
    IsNonRetriable: given['isNonRetriable'] === true,
    ...(typeof given['stackTrace'] === 'string' ? { StackTrace: given['stackTrace'] } : {}),
    ...(given['properties'] === undefined ? {} : { Properties: given['properties'] }),
  };
}
