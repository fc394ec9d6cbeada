/** A process that only holds a capture, to be killed. Arguments: address of main, of sub. Sends the child's pid. */
import { createCapture } from '../../../agent/capture/capture.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';

const [main = '', sub = ''] = process.argv.slice(2);
const capture = createCapture({
  cameras: [{ config: { id: 'gate', main, sub, sensitivity: 5 }, credential: undefined }],
  recording: { preRollMs: 1000, postRollMs: 2000 },
  clock: systemClock,
  log: createLog('silent'),
  store: {
    open: () => undefined,
    written: () => undefined,
    thumbnail: () => undefined,
    abandoned: async () => undefined,
  },
});
await capture.start();
setInterval(() => {
  const [camera] = capture.status();
  if (camera?.state === 'live') process.send?.(camera.pid);
}, 200);
