import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt';
import { methodCallOf } from '../../../../../agent/hub/link/devicebound.ts';
import { isForSdk, mendTwinPacket, twinRefusal } from '../../../../../agent/hub/link/sdk-guard.ts';

function mended(topic: string, body: string): unknown {
  const packet = { cmd: 'publish', topic, payload: Buffer.from(body), qos: 0, dup: false, retain: false };
  mendTwinPacket(packet as Packet);
  return packet.payload.toString();
}
const answer = (status: number, body: string) => {
  const text = mended(`$iothub/twin/res/${status}/?$rid=1`, body) as string;
  return text === '' ? '' : (JSON.parse(text) as unknown);
};

test('a twin answer that is an error is one for the SDK too, whatever is in it', () => {
  for (const body of ['', 'null', '[]', '{}', '{"errorCode":0}', '<html>', '{"message":7}'])
    assert.deepEqual(answer(429, body), { errorCode: 429, message: 'twin status 429' }, body);
  assert.deepEqual(answer(400, '{"errorCode":400017,"message":"Twin size too large"}'), {
    errorCode: 400,
    message: 'twin status 400: Twin size too large',
  });
});

test('an answer that says that all is well and makes no sense is an error', () => {
  assert.deepEqual(answer(200, '<html>'), { errorCode: 502, message: 'twin status 502: it is not JSON' });
  assert.deepEqual(answer(200, '{"errorCode":500001,"message":"odd"}'), {
    errorCode: 502,
    message: 'twin status 502: odd',
  });
});

test('good answers, pushes and everything else pass as they are', () => {
  assert.equal(answer(204, ''), '');
  assert.deepEqual(answer(200, '{"desired":{"$version":1}}'), { desired: { $version: 1 } });
  const push = '$iothub/twin/PATCH/properties/desired/?$version=2';
  assert.equal(mended(push, '{"a":1,"$version":2}'), '{"a":1,"$version":2}');
  assert.equal(mended('devices/pi/messages/devicebound/x', '<html>'), '<html>');
});

test('a push that is not JSON becomes one that says nothing', () => {
  assert.equal(mended('$iothub/twin/PATCH/properties/desired/?$version=2', '{"a":'), '{}');
  assert.equal(mended('$iothub/twin/PATCH/properties/desired/?$version=2', ''), '{}');
});

test('only an answer that blames the patch is a refusal of it', () => {
  const error = (status: number) => new Error(`twin status ${status}: why`);
  for (const status of [400, 409, 412, 413, 422]) {
    const refusal = twinRefusal(error(status));
    assert.deepEqual([refusal?.kind, refusal?.code], ['rejected', `hub.twin-${status}`]);
  }
  for (const status of [401, 403, 404, 408, 429, 500, 502, 503])
    assert.equal(twinRefusal(error(status)), undefined, String(status));
  for (const other of [undefined, new Error('twin'), 'twin status 400'])
    assert.equal(twinRefusal(other), undefined);
});

test('the SDK is shown the topics of the twin and no others', () => {
  assert.equal(isForSdk('$iothub/twin/res/200/?$rid=1'), true);
  for (const topic of ['devices/pi/messages/devicebound/%', '$iothub/methods/POST//', '', undefined])
    assert.equal(isForSdk(topic), false);
});

test('a call of a method is read from its topic, and one that nobody could answer is none', () => {
  const call = (rest: string) => methodCallOf(`$iothub/methods/POST/${rest}`);
  assert.deepEqual(call('snapshot/?$rid=7f'), { name: 'snapshot', requestId: '7f' });
  assert.deepEqual(call('caf%C3%A9/?$rid=a+b'), { name: 'café', requestId: 'a+b' });
  assert.deepEqual(call('%E0%A4%A/?$rid=1'), { name: '%E0%A4%A', requestId: '1' });
  assert.deepEqual(call('/?$rid=1'), { name: '', requestId: '1' });
  for (const rest of ['snapshot/', 'snapshot/?$rid=', 'snapshot', '?$rid=1'])
    assert.equal(call(rest), undefined, rest);
  assert.equal(methodCallOf('$iothub/twin/res/200/?$rid=1'), undefined);
});
