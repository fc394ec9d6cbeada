import type {
  CameraConfig,
  CameraCredential,
  RecordingConfig,
  SuppressionCounts,
  SuppressionReason,
} from '@dachawatch/contracts';
import type { FailureKind } from '../kernel/failure.ts';
import type { WrittenClip } from '../ledger/ledger.ts';
import type { Cause, SuppressedRecord } from '../motion/motion.ts';
import type { Alertness } from './child/decoding/decoding-policy.ts';
import type { Absence, StreamName } from './stream-error.ts';

/** How long a capture child waits for what. Milliseconds. */
export interface CaptureTimings {
  /** How often the child says how it is. */
  readonly heartbeatMs: number;
  /** From the fork to the first packet of each stream. */
  readonly connectMs: number;
  /** Packets come, but no key frame that could be recorded or decoded: the child gives up after this long. */
  readonly keyFrameMs: number;
  /** No fragment or frame for this long: the camera counts as stalled, unless it waits for a key frame. */
  readonly stalledMs: number;
  /** Without a packet for this long the child gives up by itself … */
  readonly giveUpMs: number;
  /** … and for this long it is killed, whatever it does. */
  readonly killMs: number;
  /** From the order to end, to the kill. */
  readonly stopMs: number;
}

/** The login of each stream; null: it has none. */
export interface Credentials {
  readonly main: CameraCredential | null;
  readonly sub: CameraCredential | null;
}

/** Parent to child. The login travels here and nowhere else: not in arguments, not in the environment. */
export type ToChild =
  | {
      readonly type: 'configure';
      readonly camera: CameraConfig;
      readonly credentials: Credentials;
      readonly recording: RecordingConfig;
      readonly timings: CaptureTimings;
      /** No clip may begin before `resume`. */
      readonly paused: boolean;
      /** As of `spare`; default no. */
      readonly sparing?: boolean;
    }
  /** Answers a trigger: write there. */
  | { readonly type: 'place'; readonly requestId: number; readonly clipId: string; readonly partFile: string }
  /** Answers a trigger: nothing can be recorded now, or shall not be, for this reason. */
  | { readonly type: 'no-place'; readonly requestId: number; readonly suppressed?: SuppressionReason }
  /** Other settings of the same camera, from now on. */
  | { readonly type: 'reconfigure'; readonly camera: CameraConfig; readonly recording: RecordingConfig }
  | { readonly type: 'resume' }
  /** Only key pictures of the sub stream are decoded, whatever moves; or as the scene asks for. */
  | { readonly type: 'spare'; readonly sparing: boolean }
  | Question
  /** End running clips, report them, exit. */
  | { readonly type: 'stop' };

/** What the parent wants to know; each is answered once, by its `requestId`.
 *  pause: close the running clip and report it, begin no other · record: begin a clip although nothing moves ·
 *  snapshot: show the sub-stream's next picture. */
export interface Question {
  readonly type: 'pause' | 'record' | 'snapshot';
  readonly requestId: number;
}

/** Most bytes of a picture: base64 and its envelope stay below 128 KB. */
export const MAX_PICTURE_BYTES = 90_000;

/** Most bytes of the small picture of a clip, as its keeper wants it (`THUMBNAIL_MAX_BYTES` of the ledger, whose code a
 *  child does not load). */
export const MAX_THUMBNAIL_BYTES = 10_000;

export type Answer =
  /** No clip is open, and what became of the last one was told before. */
  | { readonly type: 'paused'; readonly requestId: number }
  | { readonly type: 'recording'; readonly requestId: number; readonly clipId: string }
  | {
      readonly type: 'picture';
      readonly requestId: number;
      /** Base64. */
      readonly jpeg: string;
      readonly widthPx: number;
      readonly heightPx: number;
      /** Wall time, Unix milliseconds. */
      readonly takenMs: number;
    }
  /** A failure, in its parts. */
  | {
      readonly type: 'refused';
      readonly requestId: number;
      readonly kind: FailureKind;
      readonly code: string;
      readonly message: string;
    };

/** Child to parent. */
export type FromChild =
  | {
      readonly type: 'heartbeat';
      readonly lastFragmentAgeMs: number | null;
      readonly lastFrameAgeMs: number | null;
      /** Age of the newest packet of that stream of the two which has been silent longer. */
      readonly silentMs: number;
      /** What is wrong with the camera's key frames, and what to set; null: nothing. */
      readonly keyFrames: string | null;
      /** Pictures come that do not show the scene, in words for a person; null: they do. */
      readonly blind: string | null;
      readonly recording: boolean;
      /** How long something has moved that no clip holds; null: nothing moves, or it is recorded. */
      readonly unrecordedMs: number | null;
      readonly suppressed: SuppressionCounts;
      /** `quiet`: only key pictures of the sub stream are decoded. */
      readonly alertness: Alertness;
      /** Pictures of the sub stream given to the decoder since the start. */
      readonly decoded: number;
    }
  /** Something moves: where may the clip be written? */
  | {
      readonly type: 'trigger';
      readonly requestId: number;
      readonly triggeredMs: number;
      /** The zone or line that it moved in. */
      readonly cause: Cause;
    }
  /** Something moved and started no recording: why. */
  | { readonly type: 'suppressed'; readonly record: SuppressedRecord }
  | { readonly type: 'written'; readonly clipId: string; readonly clip: WrittenClip }
  /** Writing failed; `reason` begins with the failure's kind. */
  | { readonly type: 'abandoned'; readonly clipId: string; readonly reason: string }
  /** The small picture of a clip whose place was given. Base64. */
  | { readonly type: 'thumbnail'; readonly clipId: string; readonly jpeg: string }
  | Answer
  /** Why the child is about to exit, for a person. */
  | {
      readonly type: 'failing';
      readonly detail: string;
      /** What the camera is; absent: something else went wrong. */
      readonly absence?: Absence | undefined;
      /** The camera refused the login of this stream. */
      readonly refused?: StreamName | undefined;
      /** What GStreamer said, for the log. */
      readonly words?: string | undefined;
    };
