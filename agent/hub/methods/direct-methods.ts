import {
  ContractError,
  parse,
  RecordNowRequest,
  RetryClipRequest,
  SnapshotRequest,
  type MethodProblem,
  type RecordNowAnswer,
  type RetryClipAnswer,
  type SnapshotAnswer,
} from '@dachawatch/contracts';
import type { CameraStatus } from '../../capture/capture.ts';
import { Failure } from '../../kernel/failure.ts';
import { redact } from '../../kernel/log.ts';
import type { DirectMethod } from './dispatcher.ts';

export interface DirectMethodsDeps {
  readonly cameras: () => readonly Pick<CameraStatus, 'cameraId'>[];
  /** A picture of the small stream, now.
   *  @throws Failure `capture.paused`, `capture.no-picture` and others */
  readonly snapshot: (
    cameraId: string,
    signal: AbortSignal,
  ) => Promise<{
    readonly jpeg: Uint8Array;
    readonly widthPx: number;
    readonly heightPx: number;
    /** Wall time, Unix milliseconds. */
    readonly takenMs: number;
  }>;
  /** Begins a clip and returns its id.
   *  @throws Failure as above */
  readonly recordNow: (cameraId: string, signal: AbortSignal) => Promise<string>;
  /** Wants a clip uploaded that was refused, or that waits for its next try. */
  readonly retryClip: (clipId: string) => RetryClipAnswer['outcome'] | 'lost' | 'unknown-clip';
}

/** What the cloud may ask of the house. Problems are answers; only a fault of ours is thrown. */
export function createDirectMethods({
  cameras,
  snapshot,
  recordNow,
  retryClip,
}: DirectMethodsDeps): Readonly<Record<'snapshot' | 'recordNow' | 'retryClip', DirectMethod>> {
  const ids = () => cameras().map(({ cameraId }) => cameraId);

  /** @throws Failure `rejected` */
  function existing(cameraId: string): string {
    if (ids().includes(cameraId)) return cameraId;
    throw new Failure('rejected', 'method.no-such-camera', `there is no camera ${cameraId}; ${known()}`);
  }
  const known = () => `there are: ${ids().join(', ') || 'none'}`;

  /** @throws Failure `rejected` */
  function every(): readonly string[] {
    if (ids().length > 0) return ids();
    throw new Failure('rejected', 'method.no-such-camera', 'there is no camera');
  }

  /** @throws Failure `rejected` */
  function only(): string {
    const [first = '', ...others] = every();
    if (others.length === 0) return first;
    throw new Failure('rejected', 'method.camera-missing', `say which camera in cameraId; ${known()}`);
  }

  async function takeSnapshot(payload: unknown, signal: AbortSignal): Promise<SnapshotAnswer> {
    const { cameraId = only() } = parse(SnapshotRequest, payload ?? {});
    const picture = await snapshot(existing(cameraId), signal);
    return {
      cameraId,
      takenUtc: new Date(picture.takenMs).toISOString(),
      widthPx: picture.widthPx,
      heightPx: picture.heightPx,
      jpeg: Buffer.from(picture.jpeg).toString('base64'),
    };
  }

  /** Each camera by itself: one that cannot does not keep the others from recording. */
  async function record(payload: unknown, signal: AbortSignal): Promise<RecordNowAnswer> {
    const { cameraId } = parse(RecordNowRequest, payload ?? {});
    const wanted = cameraId === undefined ? every() : [existing(cameraId)];
    const outcomes = await Promise.allSettled(wanted.map((id) => recordNow(id, signal)));
    const failed = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed && outcomes.every(({ status }) => status === 'rejected')) throw failed.reason;
    return {
      clips: outcomes.map((outcome, index) => ({
        cameraId: wanted[index] ?? '',
        ...(outcome.status === 'fulfilled'
          ? { clipId: outcome.value }
          : { problem: redact(sentence(outcome.reason)) }),
      })),
    };
  }

  async function retry(payload: unknown): Promise<RetryClipAnswer> {
    const { clipId } = parse(RetryClipRequest, payload ?? {});
    const outcome = retryClip(clipId);
    if (outcome === 'unknown-clip')
      throw new Failure('rejected', 'method.no-such-clip', `there is no clip ${clipId}`);
    if (outcome === 'lost')
      throw new Failure('rejected', 'method.clip-lost', `clip ${clipId} is lost: there is nothing to upload`);
    return { clipId, outcome };
  }

  return { snapshot: answering(takeSnapshot), recordNow: answering(record), retryClip: answering(retry) };
}

const answering =
  (method: (payload: unknown, signal: AbortSignal) => Promise<object>): DirectMethod =>
  async (payload, signal) => {
    try {
      return { status: 200, payload: await method(payload, signal) };
    } catch (error) {
      return problemOf(error);
    }
  };

/** @throws what is none of the caller's business */
function problemOf(error: unknown): { status: number; payload: MethodProblem } {
  if (error instanceof ContractError)
    return { status: 400, payload: { code: 'method.payload', message: error.message } };
  if (!(error instanceof Failure)) throw error;
  const status = statusOf(error);
  if (status === 500) throw error;
  return { status, payload: { code: error.code, message: redact(error.message) } };
}

/** As `MethodProblem` describes. */
function statusOf({ kind, code }: Failure): number {
  if (code === 'method.no-such-camera' || code === 'capture.unknown-camera') return 404;
  if (code === 'method.no-such-clip') return 404;
  if (code === 'method.camera-missing') return 400;
  if (code === 'method.clip-lost' || code === 'capture.paused' || kind === 'exhausted') return 409;
  return kind === 'transient' ? 503 : 500;
}

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));
