import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceLine, eventLine, withoutMetadata } from '../../../../../scripts/lib/hub/words.ts';

const at = { sequence: 1, atUtc: new Date(2026, 10, 21, 3, 4, 5).toISOString(), deviceId: 'pi' };

test('an event of the contract is named with what it says, other telemetry is shown as it came', () => {
  const body = { event: 'camera.state', data: { cameraId: 'yard', state: 'down', inner: { n: null } } };
  assert.equal(
    eventLine({ ...at, kind: 'telemetry', body }),
    '03:04:05  pi  camera.state  /cameraId="yard" /state="down" /inner/n=null',
  );
  assert.equal(eventLine({ ...at, kind: 'telemetry', body: 'plain' }), '03:04:05  pi  telemetry  "plain"');
  assert.equal(
    eventLine({ ...at, kind: 'telemetry', bodyBase64: '//4=' }),
    '03:04:05  pi  telemetry  "//4="',
  );
});

test('an event is one line of bounded length without control characters, whatever the device sends', () => {
  const line = eventLine({
    ...at,
    deviceId: 'a\n\u001b[2J\u009b',
    kind: 'telemetry',
    body: 'ö\n'.repeat(5_000),
  });
  // oxlint-disable-next-line no-control-regex -- they must not be there
  assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
  assert.ok(line.length <= 400);
});

test('events that were dropped are said', () => {
  assert.equal(eventLine({ kind: 'gap', missed: 7 }), '7 events were dropped before they could be read');
});

test('a device is shown with how far it has followed', () => {
  const twin = (reported: object, connectionState = 'Connected', status = 'enabled') => ({
    deviceId: 'pi',
    connectionState,
    status,
    properties: { desired: { $version: 4 }, reported: { ...reported } },
  });
  for (const silent of [{}, { desiredVersion: 0 }])
    assert.match(deviceLine(twin(silent)), /^pi {2}connected {5}desired version 4; it has never answered$/);
  assert.match(
    deviceLine(twin({ desiredVersion: 3, refused: [{}, {}] }, 'Disconnected', 'disabled')),
    /^pi {2}disconnected {2}.*answered version 3 and refused 2; disabled$/,
  );
});

test('what the hub adds to properties is left out', () => {
  assert.deepEqual(withoutMetadata({ a: 1, $metadata: { x: 1 }, $version: 2 }), { a: 1, $version: 2 });
});
