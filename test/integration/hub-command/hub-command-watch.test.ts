import assert from 'node:assert/strict';
import { test } from 'node:test';
import iotDevice from 'azure-iot-device';
import { DEVICE, hubCommandWorld, report } from './hub-command-world.ts';
import { eventually } from '../hub/hub-fixture.ts';
const world = hubCommandWorld();
const { begin, run, openDevice } = world;

test('watch shows telemetry, twin changes and connections, live and from the past, each in a line', async () => {
  const json = begin(['watch', '--json', '--data', world.dataDir]);
  await eventually('the stream', () => json.out().includes('"here"'));
  const watching = begin(['watch', DEVICE, '--data', world.dataDir, '--since', '60']);
  const device = await openDevice();
  const message = new iotDevice.Message(
    JSON.stringify({ event: 'clip.sealed', data: { clipId: 'C1', bytes: 5, title: '\u001b[2J' } }),
  );
  message.messageId = 'm0';
  await device.sendEvent(message);
  await eventually('telemetry, live', () => json.out().includes('"$.mid":"m0"'));
  await report(device, { power: { state: 'on-mains' } });
  await run('desired', DEVICE, 'recording.preRollMs=1000');
  await device.close();
  // Devices of the tests before have ended their connections within the last minute, too.
  const over = /preRollMs=1000[^]*disconnected/;
  await eventually('the end of the connection', () => over.test(watching.out()));
  const lines = watching.out();
  assert.match(lines, /^\d\d:\d\d:\d\d {2}pi {2}clip\.sealed {2}\/clipId="C1" \/bytes=5 /m);
  assert.match(lines, /pi {2}reported \d+ {2}\/power\/state="on-mains"$/m);
  assert.match(lines, /pi {2}desired \d+ {2}\/recording\/preRollMs=1000$/m);
  // oxlint-disable-next-line no-control-regex -- it must not be there
  assert.doesNotMatch(lines, /\u001b/);
  watching.child.kill('SIGINT');
  assert.equal((await watching.ended).code, 130);

  const past = await run('watch', '--until-now', '--json');
  assert.equal(past.code, 0, past.err);
  interface Line {
    readonly kind: string;
    readonly sequence: number;
    readonly properties?: Readonly<Record<string, string>>;
  }
  const [here, ...events] = past.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  assert.equal(here?.kind, 'here');
  for (const kind of ['telemetry', 'reported', 'desired', 'connection'])
    assert.ok(
      events.some((event) => event.kind === kind),
      kind,
    );
  const sequences = events.map(({ sequence }) => sequence);
  assert.deepEqual(
    sequences,
    [...new Set(sequences)].toSorted((a, b) => a - b),
  );
  assert.equal(events.find(({ kind }) => kind === 'telemetry')?.properties?.['$.mid'], 'm0');
});

test('a watcher waits for a hub that restarts, misses nothing and sees nothing twice', async () => {
  const watching = begin(['watch', '--json', '--data', world.dataDir]);
  await eventually('the stream', () => watching.out().includes('"here"'));
  await openDevice();
  await eventually('the connection', () => watching.out().includes('"connected"'));
  await world.closeDevices();
  await world.restartHub();
  await openDevice();
  const states = () => [...watching.out().matchAll(/"state":"(\w+)"/g)].map(([, state]) => state);
  await eventually('the second connection', () => states().length === 3);
  assert.deepEqual(states(), ['connected', 'disconnected', 'connected']);
});
