import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestContext } from 'node:test';
import type { Capture, CaptureDeps } from '../../../../agent/capture/capture.ts';
import { decideVerdict, type Judgement } from '../../../../cloud-fn/orchestrators/decide-verdict.ts';
import { analyseClip } from '../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import type { Detector } from '../../../../cloud-fn/yolo/detectors/detector.ts';
import { type MadeCamera, startMadeCamera } from '../../../../hardware/simulators/camera/made-camera.ts';
import { probeLines } from '../../../../hardware/simulators/camera/made-pictures.ts';
import type { MadeStream } from '../../../../hardware/simulators/camera/made-stream.ts';
import { result } from '../../../unit/cloud-fn/orchestrators/clip-samples.ts';
import { type CaptureRig, createRig, type Kept, probe, until } from '../capture-rig.ts';

const run = promisify(execFile);

export interface MadeRig {
  readonly rig: CaptureRig;
  readonly camera: MadeCamera;
  readonly capture: Capture;
  /** Waits until the camera is live. */
  readonly live: () => Promise<void>;
  /** Waits until so many pictures of the main stream were sent. */
  readonly sent: (pictures: number) => Promise<void>;
  /** Begins a clip by hand, waits until it is written, and stops. @returns all clips there were */
  readonly record: () => Promise<Kept[]>;
  /** Waits until so many clips are written, and stops. @returns all clips there were */
  readonly clips: (count: number) => Promise<Kept[]>;
}

/** A real capture process that watches a made camera; both end with the test. */
export async function watchMade(
  t: TestContext,
  options: { readonly main: MadeStream; readonly sub: MadeStream } & Partial<CaptureDeps>,
): Promise<MadeRig> {
  const { main, sub, ...more } = options;
  const rig = await createRig();
  t.after(() => rig.close());
  const camera = await startMadeCamera({ main, sub });
  t.after(() => camera.stop());
  const capture = rig.capture({ main: camera.mainUrl, sub: camera.subUrl, ...more });
  await capture.start();
  return {
    rig,
    camera,
    capture,
    live: async () => {
      await until('a live camera', () => capture.status()[0]?.state === 'live', 180_000);
    },
    sent: async (pictures) => {
      await until(`picture ${pictures}`, () => camera.sent('main') >= pictures, 180_000);
    },
    record: async () => {
      const id = await capture.recordNow('gate', AbortSignal.timeout(120_000));
      const settled = () =>
        rig.kept.some(({ clipId, written, abandoned }) => clipId === id && (written ?? abandoned));
      await until('the clip to be written', settled, 180_000);
      await capture.stop();
      return rig.kept;
    },
    clips: async (count) => {
      await until(`${count} clips`, () => rig.kept.filter(({ written }) => written).length >= count, 180_000);
      await capture.stop();
      return rig.kept;
    },
  };
}

/** A clip decodes from its first picture to its last without a complaint, and lasts what is said of it. */
export async function assertWholeClip({ file, written, abandoned }: Kept, toleranceMs = 250): Promise<void> {
  assert.equal(abandoned, undefined);
  assert.ok(written, 'a clip was not written');
  const decode = ['-nostdin', '-v', 'error', '-xerror', '-err_detect', 'explode', '-i', file];
  const { stderr } = await run('ffmpeg', [
    ...decode,
    '-fps_mode',
    'passthrough',
    '-enc_time_base',
    '-1',
    '-f',
    'null',
    '-',
  ]);
  assert.equal(stderr, '');
  const probed = await probe(file);
  assert.ok(
    Math.abs(probed.durationMs - written.durationMs) <= toleranceMs,
    `lasts ${probed.durationMs} ms, said ${written.durationMs}`,
  );
  assert.ok(Math.abs(probed.startMs) <= 1, `begins at ${probed.startMs} ms`);
  await assertTimesAdvance(file);
}

/** Pictures are decoded one after another, none is shown before it is decoded, and no two at the same moment. */
export async function assertTimesAdvance(file: string): Promise<void> {
  const packets = (await probeLines(file, 'packet=pts,dts')).map(
    (line) => line.split(',').map(Number) as [number, number],
  );
  for (const [index, [pts, dts]] of packets.entries()) {
    assert.ok(pts >= dts, `picture ${index} is shown at ${pts}, decoded at ${dts}`);
    if (index > 0) assert.ok(dts > (packets[index - 1]?.[1] ?? 0), `picture ${index} is decoded at ${dts}`);
  }
  assert.equal(new Set(packets.map(([pts]) => pts)).size, packets.length, 'two pictures at one moment');
}

/** Size of each picture of a clip that is decoded, like `640,360`. */
export const decodedSizes = (file: string): Promise<string[]> => probeLines(file, 'frame=width,height');

/** Finds nothing: what the cloud says of a clip is then decided by how much of it could be seen. */
const BLIND: Detector = {
  model: { name: 'none', sha256: '0'.repeat(64), licence: 'none' },
  runtime: 'none',
  inputSize: 64,
  detect: async () => [],
  close: async () => {},
};

/** What the cloud says of a clip in which nothing is found: it is decoded and judged as the worker and the
 *  orchestration do it, with the length that its row tells. */
export async function judge({ file, written }: Kept): Promise<Judgement> {
  assert.ok(written, 'a clip was not written');
  const { details } = await analyseClip(file, BLIND, {
    strategy: 'fixed-rate',
    signal: new AbortController().signal,
    deadlineMs: 120_000,
    expectedMs: written.durationMs,
  });
  return decideVerdict(result(details));
}
