import type { SuppressionReason } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { FrameSize } from '../frame-size.ts';
import { seenBy, type SuppressedRecord, suppressedRecordOf } from './record.ts';
import { createThumbnails } from './pictures.ts';
import type { MotionGate } from '../zones/gate.ts';
import type { GateDecision } from '../zones/zone-model.ts';
import { nearerReason, type ZoneSettings } from '../zones/judge.ts';

/** What became a recording within this time was not suppressed: it had only just begun. */
const WAIT_MS = 4_000;
/** A stay that a zone asks is waited out, too, unless it is longer than this. */
const LONGEST_STAY_MS = 30_000;
/** When the picture after the decision is taken. */
const AFTER_MS = 1_200;

/** Turns suppressed triggers into records, one at a time: it waits whether the same movement starts a recording
 *  after all, and takes one more picture and the last numbers meanwhile. */
export function createSuppressedSampler(deps: {
  readonly gate: Pick<MotionGate, 'seen' | 'state'>;
  readonly settings: ZoneSettings;
  readonly size: FrameSize;
  readonly clock: Pick<Clock, 'nowMs'>;
  emit(record: SuppressedRecord): void;
}) {
  const { gate, settings, size, clock } = deps;
  const aspect = size.height / size.width;
  const thumbnails = createThumbnails(size);
  const stays = (settings.zones ?? []).map(({ dwellMs = 0 }) => dwellMs);
  const longestStayMs = Math.max(0, ...stays.filter((ms) => ms <= LONGEST_STAY_MS));
  let waiting:
    | {
        record: SuppressedRecord;
        last?: SuppressedRecord['last'];
        beganMs: number;
        atMs: number;
        after: boolean;
      }
    | undefined;

  function write(reason: SuppressionReason, atMs: number): SuppressedRecord {
    return suppressedRecordOf({
      atMs: Math.round(clock.nowMs()),
      monotonicMs: atMs,
      reason,
      settings,
      models: gate.state(),
      aspect,
      pictures: thumbnails.before(gate.seen(), atMs),
    });
  }

  function begin(reason: SuppressionReason, atMs: number): void {
    waiting = { record: write(reason, atMs), beganMs: waiting?.beganMs ?? atMs, atMs, after: false };
  }

  function isDue({ beganMs, record }: { beganMs: number; record: SuppressedRecord }, atMs: number): boolean {
    return atMs - beganMs >= WAIT_MS + (record.reason === 'zone-dwell' ? longestStayMs : 0);
  }

  return {
    /** After each decision of the gate.
     *  @param fresh whether this is a new trigger, not the last one going on */
    note(decision: GateDecision, fresh: boolean, atMs: number): void {
      if (decision.kind === 'motion') waiting = undefined;
      else if (decision.kind === 'suppressed') {
        const { reason } = decision;
        const was = waiting?.record.reason;
        // That the camera was being learnt needs no picture. What came nearer to a recording is not forgotten for
        // what came after it.
        if (fresh && reason !== 'learning' && nearerReason(reason, was ?? reason) === reason)
          begin(reason, atMs);
        else if (waiting && reason === was)
          waiting.last = { afterMs: atMs - waiting.atMs, models: seenBy(gate.state(), atMs, aspect) };
      }
      thumbnails.note(gate.seen(), atMs);
      if (!waiting) return;
      if (!waiting.after && atMs - waiting.atMs >= AFTER_MS) {
        const picture = thumbnails.of(gate.seen(), atMs - waiting.atMs);
        const { record } = waiting;
        waiting.record = { ...record, pictures: [...record.pictures, picture] };
        waiting.after = true;
      }
      if (!isDue(waiting, atMs)) return;
      const { record, last } = waiting;
      waiting = undefined;
      deps.emit(last ? { ...record, last } : record);
    },
  };
}
