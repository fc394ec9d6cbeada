import { OrchestrationRefused, walkActions, type ScheduledTask } from './walk.ts';
import {
  EVENT,
  iso,
  OUT_OF_PROC_LABEL,
  TRIGGER_CONSTANTS,
  type FailureDetails,
  type HistoryEvent,
  type OrchestratorState,
} from './wire.ts';

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
  readonly name: string;
  readonly parentInstanceId: string | null;
  /** What earlier episodes have stored. */
  readonly history: readonly HistoryEvent[];
  /** What has come in since, oldest first. */
  readonly arrived: readonly HistoryEvent[];
  readonly nowMs: number;
  /** Calls the orchestrator function; resolves with its answer, rejects with its error. */
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
  /** JSON text; undefined: as before. */
  readonly customStatus: string | undefined;
  readonly end: EpisodeEnd;
}

/** One episode of an orchestration: replay it over its history and what has arrived, and see what it wants.
 *  Changes nothing by itself. */
export async function runEpisode(input: EpisodeInput): Promise<Episode> {
  const timestamp = iso(input.nowMs);
  const started: HistoryEvent = {
    EventType: EVENT.orchestratorStarted,
    EventId: -1,
    Timestamp: timestamp,
  };
  const arrived = [started, ...input.arrived];
  const history = [...input.history.map((event) => ({ ...event, IsPlayed: true })), ...arrived];
  const begun = history.find((event) => event.EventType === EVENT.executionStarted);
  const completed: HistoryEvent = {
    EventType: EVENT.orchestratorCompleted,
    EventId: -1,
    Timestamp: timestamp,
  };

  const { state, error } = await answerOf(input, {
    // The library turns time stamps into dates in place: it gets a copy of its own.
    history: structuredClone(history.map((event) => ({ IsPlayed: false, ...event }))),
    input: begun?.Input == null ? null : (JSON.parse(begun.Input) as unknown),
    instanceId: input.instanceId,
    isReplaying: input.history.length > 0,
    parentInstanceId: input.parentInstanceId,
  });

  const failed = (reason: string, failureDetails?: FailureDetails): Episode => ({
    appended: [...arrived, completed],
    scheduled: [],
    cancelledTimers: [],
    customStatus: state?.customStatus === undefined ? undefined : JSON.stringify(state.customStatus),
    end: {
      status: 'Failed',
      reason: `Orchestrator function '${input.name}' failed: ${reason}`,
      ...(failureDetails ? { failureDetails } : {}),
    },
  });
  if (state === undefined) return failed(error ?? 'it gave no answer');

  try {
    const walk = walkActions(state.actions[0] ?? [], history);
    const isFinished = (state.isDone || error !== undefined) && walk.openTasks === 0;
    if (isFinished && error !== undefined) return failed(error, state.failureDetails);
    return {
      appended: [...arrived, ...walk.fresh.map((task) => scheduledEvent(task, input, timestamp)), completed],
      scheduled: walk.fresh,
      cancelledTimers: walk.cancelledTimers,
      customStatus: state.customStatus === undefined ? undefined : JSON.stringify(state.customStatus),
      end: !isFinished
        ? { status: 'Running' }
        : walk.continueAsNew
          ? { status: 'ContinuedAsNew', input: JSON.stringify(walk.continueAsNew.input ?? null) }
          : { status: 'Completed', output: JSON.stringify(state.output ?? null) },
    };
  } catch (refused) {
    if (refused instanceof OrchestrationRefused) return failed(refused.message);
    throw refused;
  }
}

/** The function's answer. An orchestrator that throws still sends its state, behind its message. */
async function answerOf(
  input: EpisodeInput,
  trigger: OrchestrationTrigger,
): Promise<{ state?: OrchestratorState; error?: string }> {
  try {
    return { state: await input.run({ ...trigger, ...TRIGGER_CONSTANTS }) };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const at = message.lastIndexOf(OUT_OF_PROC_LABEL);
    if (at < 0) return { error: message };
    const state = JSON.parse(message.slice(at + OUT_OF_PROC_LABEL.length)) as OrchestratorState;
    return { state, error: state.error ?? message.slice(0, at) };
  }
}

export const subOrchestrationId = (parentId: string, task: { id: number; instanceId: string | undefined }) =>
  task.instanceId ?? `${parentId}:${task.id}`;

function scheduledEvent(task: ScheduledTask, input: EpisodeInput, timestamp: string): HistoryEvent {
  const base = { EventId: task.id, Timestamp: timestamp };
  if (task.kind === 'activity') return { ...base, EventType: EVENT.taskScheduled, Name: task.name };
  if (task.kind === 'timer') return { ...base, EventType: EVENT.timerCreated, FireAt: iso(task.fireAtMs) };
  const InstanceId = subOrchestrationId(input.instanceId, task);
  return { ...base, EventType: EVENT.subOrchestrationCreated, Name: task.name, InstanceId };
}
