import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubFailure, linkFailure } from '../../../../../scripts/lib/hub/failures.ts';
import type { HubPlace } from '../../../../../scripts/lib/hub/place.ts';

const azure: HubPlace = { host: 'house.azure-devices.net', port: 443, policy: 'service', key: 'c2VjcmV0' };
const local: HubPlace = {
  host: 'localhost',
  port: 9,
  policy: 'iothubowner',
  key: 'c2VjcmV0',
  dataDir: '/data',
};
const says = (status: number, body: string, place = azure) =>
  hubFailure({ status, body, device: 'pi', place }).message;

test('a device that is not connected is told from one that does not exist, in the words of either hub', () => {
  const inner = JSON.stringify({
    errorCode: 404103,
    trackingId: 'x',
    message: 'Timed out waiting for device.',
  });
  for (const body of [
    JSON.stringify({ Message: inner, ExceptionMessage: '' }),
    JSON.stringify({ Message: 'ErrorCode:DeviceNotOnline;errorCode 404103: the device is not connected' }),
  ])
    assert.match(says(404, body), /^pi is not connected, so it cannot be called \(404103\)$/);
  for (const body of [
    JSON.stringify({ Message: 'ErrorCode:DeviceNotFound;Device pi is not registered' }),
    JSON.stringify({ errorCode: 404001, message: 'Device not found' }),
    '',
  ])
    assert.match(says(404, body), /knows no device "pi"/);
});

test('a key that is refused, a hub that is busy and a reason of the hub are said, the key is not', () => {
  assert.equal(says(401, '{}'), 'the hub house.azure-devices.net does not accept the key of "service"');
  assert.match(says(429, ''), /asked too often/);
  assert.match(says(504, ''), /pi did not answer in time/);
  assert.equal(
    says(400, '{"Message":"ErrorCode:ArgumentInvalid;A text is longer than 4 KB"}', local),
    'the local hub of /data refuses: A text is longer than 4 KB (400)',
  );
  assert.match(says(500, '<html>down</html>'), /refuses: <html>down<\/html> \(500\)/);
  assert.ok(says(500, 'x'.repeat(9_000)).length < 400);
});

test('a local hub that does not run is told from one that cannot be reached', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });
  assert.equal(
    linkFailure(refused, local).message,
    'the local hub of /data is not running; start scripts/run',
  );
  assert.match(linkFailure(refused, azure).message, /^the hub house.azure-devices.net cannot be reached: /);
});
