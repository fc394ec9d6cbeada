import type { ProcessingRequest, ProcessingResult, Verdict } from '@dachawatch/contracts';

/** Activities of our own. Those of the original system have their names in contracts/wire-names.ts. */
export const ACTIVITY_START_CONTAINER = 'start_container';
export const ACTIVITY_FIND_RESULT = 'find_result';
export const ACTIVITY_KEEP_PICTURE = 'keep_picture';
export const ACTIVITY_STORE_VERDICT = 'store_verdict';
export const ACTIVITY_SEND_VERDICT = 'send_verdict_to_device';

/** A clip, as the orchestration and its activities know it. */
export interface ClipOfAnalysis {
  /** Of a clip we recorded: from its name. Of any other blob: made from its name, so that it is always the same. */
  readonly clip_id: string;
  /** Absent for a blob we did not record: nobody to tell. */
  readonly device_id?: string;
  readonly camera_id?: string;
  /** Container and path: `dacha-video/<blob>`. */
  readonly blobName: string;
  /** Without a signature. */
  readonly blobUrl: string;
}

/** Of the orchestration's code. What is in flight ends on the version it began with; absent: the first. */
export const CLIP_ANALYSIS_VERSION = 2;
/** Longest wait for the worker: after a day nobody waits any more. */
export const LONGEST_WAIT_MS = 24 * 3_600_000;

export interface ClipAnalysisInput {
  readonly version?: number;
  readonly clip: ClipOfAnalysis;
  /** How long to wait for the worker. In the input, because an orchestration reads no settings. */
  readonly waitMs: number;
  /** Of the verdict: 1, or more when a late result is judged again. */
  readonly revision: number;
  /** A late result that is already there: nothing is asked, only judged. */
  readonly result?: ProcessingResult;
}

/** Where an orchestration is: its custom status. `closing` and later no longer wait for the worker's answer.
 *  `since` is beside it: a small status, because a large one fails the instance. */
export type Step =
  | 'starting-container'
  | 'requesting'
  | 'waiting'
  | 'closing'
  | 'keeping-picture'
  | 'storing'
  | 'notifying'
  | 'telling-device';

/** Steps in which an answer is still taken as an event. */
export const STEPS_BEFORE_ANSWER: readonly string[] = ['starting-container', 'requesting', 'waiting'];

/** What went wrong, for a person and for a search. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

export interface ClipAnalysisOutput {
  /** False when the clip could not be judged, or somebody was not told. */
  readonly ok: boolean;
  readonly verdict?: Verdict['verdict'];
  readonly decision?: Verdict['decision'];
  /** The verdict as it was stored and sent. */
  readonly document?: Verdict;
  readonly stored?: boolean;
  readonly notified?: boolean;
  readonly device_told?: boolean;
  readonly problems: readonly Problem[];
}

export interface KeepPictureInput {
  readonly clip: ClipOfAnalysis;
  /** The worker's best frame, in the container of the frames. */
  readonly frame: string;
}

export interface StoreVerdictInput {
  readonly clip: ClipOfAnalysis;
  readonly verdict: Verdict;
  /** The worker's best frame, in the container of the frames. */
  readonly frame?: string;
}

export interface NotifyInput {
  readonly clip: ClipOfAnalysis;
  readonly verdict: Verdict;
  /** What broke beside the verdict, like storing it. */
  readonly problem?: Problem;
}

export interface SendVerdictInput {
  readonly device_id: string;
  readonly verdict: Verdict;
}

/** `reason` tells why it was not taken when `taken` is false. */
export interface SendVerdictOutput {
  readonly taken: boolean;
  readonly reason?: string;
}

/** Input and output of every activity, by the name of its job. */
export interface ClipAnalysisActivities {
  startContainer: (input: { readonly instance_id: string }) => Promise<{ readonly worker: string }>;
  sendProcessingRequest: (input: ProcessingRequest) => Promise<void>;
  findResult: (input: {
    readonly instance_id: string;
    readonly blobName?: string;
  }) => Promise<ProcessingResult | null>;
  keepPicture: (input: KeepPictureInput) => Promise<{ readonly kept: boolean }>;
  storeVerdict: (input: StoreVerdictInput) => Promise<Verdict>;
  sendVideoCompleted: (input: NotifyInput) => Promise<void>;
  escalate: (input: NotifyInput) => Promise<void>;
  sendFailureNotification: (input: NotifyInput) => Promise<void>;
  sendVerdict: (input: SendVerdictInput) => Promise<SendVerdictOutput>;
}

export interface RetryPolicy {
  readonly firstMs: number;
  readonly attempts: number;
  readonly factor: number;
}

/** How often an activity is tried, as data: one screen to judge it on. */
export const RETRIES = {
  startContainer: { firstMs: 2_000, attempts: 3, factor: 2 },
  sendProcessingRequest: { firstMs: 2_000, attempts: 4, factor: 2 },
  findResult: { firstMs: 2_000, attempts: 3, factor: 2 },
  /** Nobody waits long for a picture. */
  keepPicture: { firstMs: 1_000, attempts: 2, factor: 1 },
  storeVerdict: { firstMs: 2_000, attempts: 5, factor: 2 },
  notify: { firstMs: 5_000, attempts: 3, factor: 2 },
  sendVerdict: { firstMs: 5_000, attempts: 3, factor: 2 },
} as const satisfies Record<string, RetryPolicy>;
