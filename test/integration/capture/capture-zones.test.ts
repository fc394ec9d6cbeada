import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CameraConfig } from '@dachawatch/contracts';
import { type CameraSimulator, startCamera } from '../../../hardware/simulators/camera/camera.ts';
import { replayRecord, type SuppressedRecord } from '../../../agent/motion/motion.ts';
import { makeVideo } from '../../fakes/media.ts';
import { type CaptureRig, createRig, until } from './capture-rig.ts';

/** A box walks from left to right through the lower half of the picture, again and again. Three cameras see it:
 *  one with a mask over its way, one with a zone around it and a line across it, one with a zone elsewhere. */
const WAY: CameraConfig['masks'] = [
  {
    id: 'way',
    polygon: [
      [0, 0.45],
      [1, 0.45],
      [1, 0.9],
      [0, 0.9],
    ],
  },
];
const ELSEWHERE: NonNullable<CameraConfig['zones']>[number] = {
  id: 'sky',
  polygon: [
    [0, 0],
    [1, 0],
    [1, 0.2],
    [0, 0.2],
  ],
};

let rig: CaptureRig;
let camera: CameraSimulator;
const records: { cameraId: string; record: SuppressedRecord }[] = [];
const counts = new Map<string, Readonly<Record<string, number>>>();
const triggers = (cameraId: string) => rig.kept.filter((clip) => clip.cameraId === cameraId);

before(async () => {
  rig = await createRig();
  const video = join(rig.dir, 'walk.mp4');
  await makeVideo(video, { seconds: 12, fps: 10, fromS: 4, toS: 10 });
  camera = await startCamera({ video, leadInS: 4, cacheDir: rig.dir });
  const { mainUrl: main, subUrl: sub } = camera;
  const seen = { main, sub, sensitivity: 5 };
  const [way] = WAY;
  const configs: CameraConfig[] = [
    { ...seen, id: 'masked', masks: WAY },
    { ...seen, id: 'zoned', zones: [{ id: 'path', title: 'Path', polygon: way?.polygon ?? [] }] },
    {
      ...seen,
      id: 'lined',
      zones: [ELSEWHERE],
      lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0.3], direction: 'left-to-right' }],
    },
    {
      ...seen,
      id: 'other-way',
      zones: [ELSEWHERE],
      lines: [{ id: 'middle', from: [0.5, 1], to: [0.5, 0.3], direction: 'right-to-left' }],
    },
  ];
  const capture = rig.capture({
    main,
    sub,
    cameras: configs.map((config) => ({ config, credential: undefined })),
    // The simulated camera answers one viewer after the other, each at its next key picture: eight have to wait.
    timings: { heartbeatMs: 200, stalledMs: 10_000, giveUpMs: 30_000, killMs: 90_000, connectMs: 90_000 },
    suppressed: {
      keep: (cameraId, record) => void records.push({ cameraId, record }),
      count: (cameraId, totals) => void counts.set(cameraId, totals),
    },
  });
  await capture.start();
  const rounds = () => triggers('zoned').length >= 3 && triggers('lined').length >= 2;
  await until('some rounds of the walk', rounds, 150_000);
  const told = () => records.some(({ cameraId }) => cameraId === 'other-way');
  await until('a record of what moved outside the zone', told, 90_000);
  await until('its count', () => counts.get('other-way')?.['outside-zones']);
  await capture.stop();
});
after(async () => {
  await camera?.stop();
  await rig?.close();
});

test('what moves under a mask is never seen', () => {
  assert.deepEqual(triggers('masked'), []);
  const { learning: _learning, ...others } = counts.get('masked') ?? {};
  assert.deepEqual(others, {});
});

test('a trigger in a zone names the zone', () => {
  for (const { cause } of triggers('zoned')) assert.deepEqual(cause, { kind: 'zone', id: 'path' });
});

test('crossing a line in its direction triggers although no zone is there; the other way does not', () => {
  for (const { cause } of triggers('lined'))
    assert.deepEqual(cause, { kind: 'line', id: 'middle', direction: 'left-to-right' });
  assert.deepEqual(triggers('other-way'), []);
});

test('what moved outside every zone is counted and explained by its record', () => {
  const { record } =
    records.find((one) => one.cameraId === 'other-way' && one.record.reason === 'outside-zones') ??
    assert.fail(JSON.stringify(records.map((one) => [one.cameraId, one.record.reason])));
  assert.deepEqual(replayRecord(record), { kind: 'suppressed', reason: 'outside-zones' });
  assert.ok(record.pictures.length >= 3);
  assert.ok(JSON.stringify(record).length < 40_000);
});
