/** Names that travel between processes. They are kept byte for byte from the original system, misspellings
 *  included; only the TypeScript constants are spelled right. Change one and old peers stop understanding us. */

export const QUEUE_TO_PROCESSING = 'video-to-processing';
export const QUEUE_PROCESSED = 'video-processed';
/** Suffix the Functions host gives the queue of messages nobody could process. */
export const POISON_SUFFIX = '-poison';

export const EVENT_VIDEO_PROCESSED = 'PROCESSING_VIDEO_COMPLITED';

export const ORCHESTRATION_CLIP_ANALYSIS = 'clip-analysis';
export const ROUTE_MANUAL_START = 'orchestrators/video_orchestrator';

export const ACTIVITY_SEND_PROCESSING_REQUEST = 'send_processing_request';
export const ACTIVITY_SEND_VIDEO_COMPLETED = 'SendVideoComplited';
export const ACTIVITY_ESCALATE = 'Escalate';
export const ACTIVITY_SEND_FAILURE_NOTIFICATION = 'SendFailureNotification';

/** Container of the clips. IoT Hub's file upload is configured to write here. */
export const CONTAINER_CLIPS = 'dacha-video';
/** Container of the annotated frames, kept under `<clip name>/`. */
export const CONTAINER_FRAMES = 'detected-dacha-video';

/** Longest that the worker analyses one clip; then it answers what it has seen, or that it was too slow. */
export const ANALYSIS_DEADLINE_MS = 300_000;
/** Beside it: the container starts, the clip is fetched, frames and answer are written. */
export const ANALYSIS_MARGIN_MS = 60_000;
/** How long an orchestration waits for the worker before it escalates: longer than the worker takes, so that it hears
 *  why. `DACHA_ANALYSIS_WAIT_MS` sets another. */
export const DEFAULT_ANALYSIS_WAIT_MS = 360_000;
