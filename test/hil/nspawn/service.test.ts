import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CameraSimulator } from '../../../hardware/simulators/camera/camera.ts';
import { bootGuest, type Guest, until } from './guest.ts';
import { absentCloud, stillCamera, CAMERA_PASSWORD, type Cloud, freePort, writeAppliance } from './house.ts';

const START_MS = 60_000;

let camera: CameraSimulator;
let cloud: Cloud;
let guest: Guest;

before(async () => {
  camera = await stillCamera();
  cloud = await absentCloud();
  const port = await freePort();
  guest = await bootGuest((write) => writeAppliance(write, cloud, camera, port));
});
after(async () => {
  await guest?.close();
  await camera?.stop();
});

const active = async () => (await guest.unit('ActiveState')) === 'active';
const context = () => guest.journal();

test('the agent is ready when page and cameras have started, and waits for neither ledger nor link', async () => {
  await until('the unit is active', active, START_MS, context);
  const journal = await guest.journal();
  const started = journal.indexOf('Started dachawatch-agent.service');
  assert.ok(started >= 0, journal);
  for (const event of ['dashboard.listening', 'camera.state']) {
    const place = journal.indexOf(`"event":"${event}"`);
    assert.ok(place >= 0 && place < started, `${event} is not before ready: ${journal}`);
  }
  // The ledger is opened and looked through, the hub loop runs and nobody answers.
  for (const event of ['ledger.checked', 'link.offline'])
    await until(event, async () => (await guest.journal()).includes(`"event":"${event}"`), START_MS, context);
  // A ledger that is being opened is the usual thing.
  assert.ok(!(await guest.journal()).includes('"level":50'), await guest.journal());
  assert.ok(await active());
});

test('one line in `systemctl status` says how it is, for a person', async () => {
  const line = await until(
    'the status line tells of camera and link',
    async () => {
      const text = await guest.unit('StatusText');
      return /camera/.test(text) && /offline|no link|hub/.test(text) && text;
    },
    START_MS,
    context,
  );
  assert.ok(line.length <= 200 && !line.includes('{'), line);
});

test('a hung agent is ended by the watchdog, and its successor is ready', async () => {
  const pid = await guest.unit('MainPID');
  const watchdogMs = Number(await guest.unit('WatchdogUSec').then((text) => text.replace('s', ''))) * 1_000;
  assert.ok(watchdogMs >= 5_000 && watchdogMs <= 60_000, 'the unit has no watchdog');
  // As a loop that never comes round: the process is there and does nothing.
  await guest.must('kill', '-STOP', pid);
  await until(
    'the watchdog ends it and another one is ready',
    async () => (await guest.unit('MainPID')) !== pid && (await active()),
    watchdogMs + START_MS,
    context,
  );
  assert.match(await guest.journal(), /Watchdog timeout/);
  assert.equal(await guest.unit('NRestarts'), '1');
});

test('no secret is in the journal, in a command line or in the environment of the agent', async () => {
  const pid = await guest.unit('MainPID');
  const key = /SharedAccessKey=(.+)/.exec(cloud.connectionString)?.[1] ?? '';
  assert.ok(key.length > 10);
  const places = [
    await guest.must('journalctl', '--boot', '--no-pager'),
    await guest.must('cat', `/proc/${pid}/cmdline`, `/proc/${pid}/environ`),
  ].join('');
  for (const secret of [key, CAMERA_PASSWORD]) assert.ok(!places.includes(secret), 'a secret got out');
});
