import type { Clock } from '../../kernel/clock.ts';
import type { CaptureTimings, FromChild } from '../messages.ts';
import type { Absence, StreamName } from '../stream-error.ts';
import { createKeyFrameAdvice } from './key-frame-advice.ts';

/** Moments are monotonic milliseconds. */
export interface StreamHealth {
  /** A packet of the stream came. */
  packet(stream: StreamName, now: number): void;
  /** Something that can be used came: a fragment, a grey picture. */
  usable(stream: StreamName, now: number): void;
  /** A key frame of the main stream, at its media time. */
  keyFrame(mediaMs: number): void;
  /** Why the camera cannot be watched any more, for a person; undefined: it can. */
  trouble(now: number): { readonly what: string; readonly absence: Absence } | undefined;
  /** @param overrun the newest group of pictures does not fit into memory */
  report(
    now: number,
    overrun: boolean,
  ): Pick<
    Extract<FromChild, { type: 'heartbeat' }>,
    'lastFragmentAgeMs' | 'lastFrameAgeMs' | 'silentMs' | 'keyFrames'
  >;
}

/** What comes of the two streams of a camera, and when it has been too little for too long. */
export function createStreamHealth({
  cameraId,
  timings,
  clock,
  onBothUsable,
}: {
  readonly cameraId: string;
  readonly timings: CaptureTimings;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Called once, when something that can be used has come of both streams. */
  readonly onBothUsable?: () => void;
}): StreamHealth {
  const advice = createKeyFrameAdvice(cameraId);
  const startedMs = clock.monotonicMs();
  const lastPacket: Record<StreamName, number | undefined> = { main: undefined, sub: undefined };
  const lastUsable: Record<StreamName, number | undefined> = { main: undefined, sub: undefined };

  const silentMs = (stream: StreamName, now: number) => now - (lastPacket[stream] ?? startedMs);
  const ageMs = (stream: StreamName, now: number) => {
    const seen = lastUsable[stream];
    return seen === undefined ? null : Math.round(now - seen);
  };

  function troubleOf(stream: StreamName, now: number) {
    const said = (what: string, ms: number, absence: Absence) => ({
      what: `camera ${cameraId}, ${stream} stream: ${what} for ${Math.round(ms / 1000)} s`,
      absence,
    });
    const never = lastPacket[stream] === undefined;
    const silent = silentMs(stream, now);
    if (silent >= (never ? timings.connectMs : timings.giveUpMs))
      return said(never ? 'no picture came' : 'the picture stands still', silent, 'unreachable');
    const waited = advice.waitsMs(stream, now);
    return waited >= timings.keyFrameMs
      ? said('no key frame that can be decoded came', waited, 'unsupported')
      : undefined;
  }

  return {
    packet: (stream, now) => {
      lastPacket[stream] = now;
      advice.packet(stream, now);
    },
    usable: (stream, now) => {
      const isFirst = lastUsable[stream] === undefined;
      lastUsable[stream] = now;
      advice.usable(stream);
      if (isFirst && lastUsable.main !== undefined && lastUsable.sub !== undefined) onBothUsable?.();
    },
    keyFrame: (mediaMs) => advice.keyFrame(mediaMs),
    trouble: (now) => troubleOf('main', now) ?? troubleOf('sub', now),
    report: (now, overrun) => ({
      lastFragmentAgeMs: ageMs('main', now),
      lastFrameAgeMs: ageMs('sub', now),
      silentMs: Math.round(Math.max(silentMs('main', now), silentMs('sub', now))),
      keyFrames: advice.sentence(now, overrun),
    }),
  };
}
