import type { Clock } from '../kernel/clock.ts';
import type { FrameSize } from './motion.ts';
import { type Signature, signatureOf } from './signature.ts';
import { createThumbnails } from './signature-pictures.ts';
import type { GateDecision, MotionGate } from './zones.ts';
import type { ZoneSettings } from './zones-judge.ts';

/** What became a recording within this time was not suppressed: it had only just begun. */
const WAIT_MS = 4_000;
/** When the picture after the decision is taken. */
const AFTER_MS = 1_200;

/** Turns suppressed triggers into signatures, one at a time: it waits whether the same movement starts a recording
 *  after all, and takes one more picture meanwhile. */
export function createSignatureSampler(deps: {
  readonly gate: Pick<MotionGate, 'seen' | 'state'>;
  readonly settings: ZoneSettings;
  readonly size: FrameSize;
  readonly clock: Pick<Clock, 'nowMs'>;
  emit(signature: Signature): void;
}) {
  const { gate, settings, size, clock } = deps;
  const thumbnails = createThumbnails(size);
  let waiting: { signature: Signature; beganMs: number; atMs: number; after: boolean } | undefined;

  function write(reason: string, atMs: number): Signature {
    return signatureOf({
      atMs: Math.round(clock.nowMs()),
      monotonicMs: atMs,
      reason,
      settings,
      models: gate.state(),
      aspect: size.height / size.width,
      pictures: thumbnails.before(gate.seen(), atMs),
    });
  }

  return {
    /** After each decision of the gate.
     *  @param fresh whether this is a new trigger, not the last one going on */
    note(decision: GateDecision, fresh: boolean, atMs: number): void {
      if (decision.kind === 'motion') waiting = undefined;
      // That the camera was being learnt needs no picture.
      else if (decision.kind === 'suppressed' && fresh && decision.reason !== 'learning')
        waiting = {
          signature: write(decision.reason, atMs),
          beganMs: waiting?.beganMs ?? atMs,
          atMs,
          after: false,
        };
      thumbnails.note(gate.seen(), atMs);
      if (!waiting) return;
      if (!waiting.after && atMs - waiting.atMs >= AFTER_MS) {
        const picture = thumbnails.of(gate.seen(), atMs - waiting.atMs);
        const { signature } = waiting;
        waiting.signature = { ...signature, pictures: [...signature.pictures, picture] };
        waiting.after = true;
      }
      if (atMs - waiting.beganMs < WAIT_MS) return;
      const { signature } = waiting;
      waiting = undefined;
      deps.emit(signature);
    },
  };
}
