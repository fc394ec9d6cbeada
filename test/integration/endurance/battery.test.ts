import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseWithDefaults, PowerConfig } from '@dachawatch/contracts';
import { createBatterySaving } from '../../../agent/battery-saving.ts';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { createPower } from '../../../agent/power/power.ts';
import { makePictures } from '../../../hardware/simulators/camera/made-pictures.ts';
import { until } from '../capture/capture-rig.ts';
import { watchMade } from '../capture/rig/made-rig.ts';

const UPS = join(import.meta.dirname, '../../../hardware/simulators/ups/main.ts');
const FPS = 10;
const PATIENCE_MS = 180_000;

test('on battery only key pictures are decoded, and what moves is still recorded; with mains all are decoded again', async (t) => {
  const pictures = await makePictures({ width: 320, height: 180, fps: FPS, gop: FPS });
  const stream = { fps: FPS, takes: [{ pictures }] };
  const made = await watchMade(t, { main: stream, sub: stream });
  const { rig, camera, capture } = made;
  const socket = join(rig.dir, 'ups.sock');
  const scenario = join(rig.dir, 'outage.json');
  writeFileSync(
    scenario,
    JSON.stringify({
      title: 'On mains, until somebody pulls the plug',
      durationS: 100_000,
      endsInPowerOff: false,
      battery: { fill: 0.5 },
      steps: [{ atS: 0, mains: true }],
    }),
  );
  const ups = fork(UPS, ['--socket', socket, '--scenario', scenario], { silent: true });
  const gone = once(ups, 'exit');
  t.after(async () => {
    ups.kill('SIGTERM');
    await gone;
  });
  await once(ups.stdout ?? assert.fail(), 'data');
  const config = parseWithDefaults(PowerConfig, {
    ups: { model: 'waveshare-ups-module-3s', simulator: socket },
    keyPicturesOnBattery: true,
  });
  const saving = createBatterySaving({ enabled: config.keyPicturesOnBattery, capture });
  const power = createPower({
    config,
    actions: {
      seal: async () => undefined,
      tell: async () => undefined,
      powerOff: () => assert.fail('it must not switch off'),
      resume: () => undefined,
    },
    onChange: (status) => saving.powerChanged(status),
    clock: systemClock,
    log: createLog('silent'),
  });
  await power.start();
  t.after(() => power.stop());
  const plug = (command: string) => void ups.stdin?.write(`${command}\n`);
  const state = (wanted: string) => until(wanted, () => power.status().state === wanted, PATIENCE_MS);
  /** Pictures that were decoded of the next five seconds, in a hundred. */
  const share = async () => {
    const [sent, decoded] = [camera.sent('sub'), capture.status()[0]?.decoded ?? 0];
    await until('more pictures', () => camera.sent('sub') >= sent + 5 * FPS, PATIENCE_MS);
    const now = capture.status()[0]?.decoded ?? 0;
    return (100 * (now - decoded)) / (camera.sent('sub') - sent);
  };
  await made.live();
  await state('on-mains');
  await until('everything decoded', async () => (await share()) > 60, PATIENCE_MS);
  plug('mains off');
  await state('on-battery');
  await until('key pictures decoded only', async () => (await share()) < 30, PATIENCE_MS);
  const before = rig.kept.length;
  await until('a clip on battery', () => rig.kept.slice(before).some(({ written }) => written), PATIENCE_MS);
  assert.ok((await share()) < 30, 'a key picture a second, of ten pictures');
  plug('mains on');
  await state('on-mains');
  await until('everything decoded again', async () => (await share()) > 60, PATIENCE_MS);
});
