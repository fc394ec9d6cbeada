/** The messages between the Durable Functions extension and its JavaScript library, as far as this host speaks
 *  them. Numbers and spellings are the protocol's. */

export const EVENT = {
  executionStarted: 0,
  executionCompleted: 1,
  executionTerminated: 3,
  taskScheduled: 4,
  taskCompleted: 5,
  taskFailed: 6,
  subOrchestrationCreated: 7,
  subOrchestrationCompleted: 8,
  subOrchestrationFailed: 9,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
  orchestratorCompleted: 13,
  eventRaised: 15,
  generic: 17,
  executionSuspended: 19,
  executionResumed: 20,
} as const;

export interface FailureDetails {
  readonly ErrorType: string;
  readonly ErrorMessage: string;
  readonly StackTrace?: string;
  readonly IsNonRetriable?: boolean;
  readonly Properties?: unknown;
}

/** One event of an instance's history. Which of the optional fields it has depends on its type. */
export interface HistoryEvent {
  readonly EventType: (typeof EVENT)[keyof typeof EVENT];
  /** The number of the task it schedules; -1 for everything else. */
  readonly EventId: number;
  /** ISO 8601. */
  readonly Timestamp: string;
  readonly IsPlayed?: boolean;
  readonly Name?: string;
  /** JSON text. */
  readonly Input?: string | null;
  readonly Version?: string;
  readonly InstanceId?: string;
  readonly TaskScheduledId?: number;
  readonly TimerId?: number;
  readonly FireAt?: string;
  /** JSON text. */
  readonly Result?: string | null;
  readonly Reason?: string | null;
  readonly Details?: string;
  readonly FailureDetails?: FailureDetails;
  /** Of a start: how often an instance of this id was replaced before; absent for children and after continueAsNew. */
  readonly Generation?: number;
  readonly ParentInstance?: ParentInstance;
  /** Of an end. */
  readonly OrchestrationStatus?: RuntimeStatus;
  /** Of a generic event. */
  readonly Data?: string;
}

/** Who has started a child. */
export interface ParentInstance {
  readonly Name: string;
  readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
  readonly TaskScheduleId: number;
  readonly Version: string | null;
}

export const ACTION = {
  callActivity: 0,
  callActivityWithRetry: 1,
  callSubOrchestrator: 2,
  callSubOrchestratorWithRetry: 3,
  continueAsNew: 4,
  createTimer: 5,
  waitForExternalEvent: 6,
  callEntity: 7,
  callHttp: 8,
  signalEntity: 9,
  whenAny: 11,
  whenAll: 12,
  lockEntities: 13,
  releaseEntities: 14,
} as const;

export interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number;
  readonly maxRetryIntervalInMilliseconds?: number;
  readonly retryTimeoutInMilliseconds?: number;
}

/** What the orchestrator wants. Which of the optional fields it has depends on its type. */
export interface Action {
  readonly actionType: number;
  readonly functionName?: string;
  readonly instanceId?: string;
  readonly input?: unknown;
  readonly version?: string;
  readonly retryOptions?: RetryOptions;
  readonly fireAt?: string;
  readonly isCanceled?: boolean;
  readonly externalEventName?: string;
  readonly compoundActions?: readonly Action[];
}

/** What one run of an orchestrator function answers. */
export interface OrchestratorState {
  readonly isDone: boolean;
  /** The whole list of every run, in the first inner array. */
  readonly actions: readonly (readonly Action[])[];
  readonly output?: unknown;
  readonly customStatus?: unknown;
  readonly error?: string;
  readonly failureDetails?: FailureDetails;
}

/** Sent with every orchestration trigger, behind its other fields. Schema 3 is "V4". */
export const TRIGGER_CONSTANTS = {
  sourceInstanceId: null,
  upperSchemaVersion: 1,
  upperSchemaVersionNew: 3,
  longRunningTimerIntervalDuration: '3.00:00:00',
  maximumShortTimerDuration: '6.00:00:00',
  defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
} as const;

const DAY_MS = 86_400_000;
/** A timer further away than this is made of several. */
export const SHORT_TIMER_MAX_MS = 6 * DAY_MS;
export const LONG_TIMER_STEP_MS = 3 * DAY_MS;

/** What follows the message of an orchestrator's error: its `OrchestratorState` as JSON. */
export const OUT_OF_PROC_LABEL = '\n\n$OutOfProcData$:';

export type RuntimeStatus = 'Pending' | 'Running' | 'Suspended' | 'Completed' | 'Failed' | 'Terminated';

export const isFinal = (status: RuntimeStatus): boolean =>
  status === 'Completed' || status === 'Failed' || status === 'Terminated';

export const iso = (ms: number): string => new Date(ms).toISOString();
