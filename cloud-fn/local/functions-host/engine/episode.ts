import { OrchestrationRefused } from './replay/determinism.ts';
import type { ScheduledTask } from './replay/scheduled-task.ts';
import { walkActions } from './replay/walk.ts';
import { wireHistory } from './wire-history.ts';
import {
  EVENT,
  iso,
  OUT_OF_PROC_LABEL,
  TRIGGER_CONSTANTS,
  type FailureDetails,
  type HistoryEvent,
  type OrchestratorState,
} from './wire.ts';

/** Largest custom status, as JSON text in UTF-16. */
const CUSTOM_STATUS_MAX_BYTES = 16 * 1024;

/** The orchestrator function could not be called: its process died. The episode is to be run again. */
export class EpisodeNotRun extends Error {
  override readonly name = 'EpisodeNotRun';
}

/** What the orchestrator function is called with. */
export interface OrchestrationTrigger {
  readonly history: readonly HistoryEvent[];
  readonly input: unknown;
  readonly instanceId: string;
  readonly isReplaying: boolean;
  readonly parentInstanceId: string | null;
}

export interface EpisodeInput {
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly parentInstanceId: string | null;
  /** What earlier episodes have stored. */
  readonly history: readonly HistoryEvent[];
  /** What has come in since, oldest first. */
  readonly arrived: readonly HistoryEvent[];
  readonly nowMs: number;
  /** Calls the orchestrator function; resolves with its answer, rejects with its error or with `EpisodeNotRun`. */
  readonly run: (trigger: OrchestrationTrigger) => Promise<OrchestratorState>;
}

export type EpisodeEnd =
  | { readonly status: 'Running' }
  /** `output`: JSON text. */
  | { readonly status: 'Completed'; readonly output: string }
  | { readonly status: 'Failed'; readonly reason: string; readonly failureDetails?: FailureDetails }
  /** `input`: JSON text. */
  | { readonly status: 'ContinuedAsNew'; readonly input: string };

/** Everything an episode changes; stored in one transaction. */
export interface Episode {
  readonly appended: readonly HistoryEvent[];
  readonly scheduled: readonly ScheduledTask[];
  readonly cancelledTimers: readonly number[];
  /** JSON text; null: none; undefined: as before, because the function never came to say. */
  readonly customStatus: string | null | undefined;
  readonly end: EpisodeEnd;
}

/** One episode of an orchestration: replay it over its history and what has arrived, and see what it wants.
 *  Changes nothing by itself. */
export async function runEpisode(input: EpisodeInput): Promise<Episode> {
  const timestamp = iso(input.nowMs);
  const frame = (EventType: typeof EVENT.orchestratorStarted | typeof EVENT.orchestratorCompleted) =>
    ({ EventType, EventId: -1, Timestamp: timestamp }) as const;
  const arrived: readonly HistoryEvent[] = [frame(EVENT.orchestratorStarted), ...input.arrived];
  const history = [...input.history, ...arrived];
  const begun = history.find((event) => event.EventType === EVENT.executionStarted);
  const completed = frame(EVENT.orchestratorCompleted);

  const { state, error } = await answerOf(input, {
    history: wireHistory(history, { ...input, played: input.history.length }),
    input: begun?.Input == null ? null : (JSON.parse(begun.Input) as unknown),
    instanceId: input.instanceId,
    isReplaying: input.history.length > 0,
    parentInstanceId: input.parentInstanceId,
  });
  const customStatus = customStatusOf(state);

  const ended = (end: EpisodeEnd & { status: 'Completed' | 'Failed' }, Result: string): HistoryEvent => ({
    EventType: EVENT.executionCompleted,
    EventId: -1,
    Timestamp: timestamp,
    OrchestrationStatus: end.status,
    Result,
  });
  const failed = (reason: string, failureDetails?: FailureDetails): Episode => {
    const end = { status: 'Failed' as const, reason, ...(failureDetails ? { failureDetails } : {}) };
    return {
      appended: [...arrived, ended(end, JSON.stringify(reason)), completed],
      scheduled: [],
      cancelledTimers: [],
      customStatus,
      end,
    };
  };
  const threw = (reason: string, failureDetails?: FailureDetails) =>
    failed(`Orchestrator function '${input.name}' failed: ${reason}`, failureDetails);
  if (state === undefined) {
    // It came to no action: to the framework that is other code than what the history was made by.
    const refused = refusalOf(() => walkActions([], history));
    return refused === undefined ? threw(error ?? 'it gave no answer') : failed(refused.message);
  }
  const statusBytes = (customStatus ?? '').length * 2;
  if (statusBytes > CUSTOM_STATUS_MAX_BYTES)
    return {
      ...threw(
        'The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. ' +
          `The current payload size is ${Math.floor(statusBytes / 1024)} KB.`,
      ),
      customStatus: null,
    };

  try {
    const walk = walkActions(state.actions[0] ?? [], history);
    const isFinished = (state.isDone || error !== undefined) && walk.openTasks === 0;
    if (isFinished && error !== undefined) return threw(error, state.failureDetails);
    const end = endOf(isFinished, walk.continueAsNew, state.output);
    return {
      appended: [
        ...arrived,
        ...walk.fresh.map((task) => scheduledEvent(task, input, timestamp)),
        ...(end.status === 'Completed' ? [ended(end, end.output)] : []),
        completed,
      ],
      scheduled: walk.fresh,
      cancelledTimers: walk.cancelledTimers,
      customStatus,
      end,
    };
  } catch (refused) {
    if (refused instanceof OrchestrationRefused) return failed(refused.message);
    throw refused;
  }
}

function refusalOf(walk: () => unknown): OrchestrationRefused | undefined {
  try {
    walk();
    return undefined;
  } catch (refused) {
    if (refused instanceof OrchestrationRefused) return refused;
    throw refused;
  }
}

/** What an instance that is suspended does with what arrives: it keeps it, and nothing else happens. */
export function keptWhileSuspended(arrived: readonly HistoryEvent[], nowMs: number): Episode {
  const frame = (EventType: typeof EVENT.orchestratorStarted | typeof EVENT.orchestratorCompleted) => ({
    EventType,
    EventId: -1,
    Timestamp: iso(nowMs),
  });
  return {
    appended: [frame(EVENT.orchestratorStarted), ...arrived, frame(EVENT.orchestratorCompleted)],
    scheduled: [],
    cancelledTimers: [],
    customStatus: undefined,
    end: { status: 'Running' },
  };
}

function endOf(
  isFinished: boolean,
  again: { readonly input: unknown } | undefined,
  output: unknown,
): EpisodeEnd {
  if (!isFinished) return { status: 'Running' };
  return again === undefined
    ? { status: 'Completed', output: JSON.stringify(output ?? null) }
    : { status: 'ContinuedAsNew', input: JSON.stringify(again.input ?? null) };
}

/** What is not said again in a replay has been taken back. */
function customStatusOf(state: OrchestratorState | undefined): string | null | undefined {
  if (state === undefined) return undefined;
  return state.customStatus === undefined || state.customStatus === null
    ? null
    : JSON.stringify(state.customStatus);
}

/** The function's answer. An orchestrator that throws still sends its state, behind its message. */
async function answerOf(
  input: EpisodeInput,
  trigger: OrchestrationTrigger,
): Promise<{ state?: OrchestratorState; error?: string }> {
  try {
    return { state: await input.run({ ...trigger, ...TRIGGER_CONSTANTS }) };
  } catch (thrown) {
    if (thrown instanceof EpisodeNotRun) throw thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const at = message.lastIndexOf(OUT_OF_PROC_LABEL);
    if (at < 0) return { error: message };
    const state = JSON.parse(message.slice(at + OUT_OF_PROC_LABEL.length)) as OrchestratorState;
    return { state, error: state.error ?? message.slice(0, at) };
  }
}

/** A child without an id of its own gets one from its parent's execution. */
export const subOrchestrationId = (
  parentExecution: string,
  task: { readonly id: number; readonly instanceId: string | undefined },
) => task.instanceId ?? `${parentExecution}:${task.id}`;

function scheduledEvent(task: ScheduledTask, input: EpisodeInput, timestamp: string): HistoryEvent {
  const base = { EventId: task.id, Timestamp: timestamp };
  if (task.kind === 'activity') return { ...base, EventType: EVENT.taskScheduled, Name: task.name };
  if (task.kind === 'timer') return { ...base, EventType: EVENT.timerCreated, FireAt: iso(task.fireAtMs) };
  const InstanceId = subOrchestrationId(input.executionId, task);
  return { ...base, EventType: EVENT.subOrchestrationCreated, Name: task.name, InstanceId };
}
