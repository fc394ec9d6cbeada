/** Only the recording path of a capture child: the main stream from its packets to fragments in the ring.
 *  Argument: address of the main stream. It ends with its parent. */
import { createRecordingStage } from '../../../../agent/capture/child/recording-stage.ts';
import { openCameraStream } from '../../../../agent/capture/rtsp/camera-stream.ts';
import { systemClock } from '../../../../agent/kernel/clock.ts';

let fragments = 0;
const recording = createRecordingStage({
  recording: { preRollMs: 5_000, postRollMs: 30_000 },
  clock: systemClock,
  askSlot: async () => undefined,
  written: () => undefined,
  abandoned: () => undefined,
  onFragment: () => void fragments++,
});
openCameraStream({
  address: process.argv[2] ?? '',
  credential: null,
  clock: systemClock,
  onPacket: () => undefined,
  onUnit: (unit) => recording.unit(unit, systemClock.monotonicMs()),
  onEnd: ({ what }) => {
    process.stderr.write(`the stream ended: ${JSON.stringify(what)}\n`);
    process.exit(1);
  },
});
process.on('disconnect', () => process.exit());
process.on('message', () => {
  process.send?.({ states: [fragments > 0 ? 'live' : 'starting'], clips: 0 });
});
