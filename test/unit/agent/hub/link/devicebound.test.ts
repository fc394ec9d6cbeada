import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDevicebound, messageIdOf } from '../../../../../agent/hub/link/devicebound.ts';

const topic = (bag: string) => `devices/pi/messages/devicebound/${bag}`;
const body = Buffer.from('{}');

test("the sender's id is taken as it was given, whatever stands in it", () => {
  assert.equal(messageIdOf(topic('%24.to=x&%24.mid=01ABC.2&k=v'), body), '01ABC.2');
  assert.equal(messageIdOf(topic('%24.mid=a%2Bb%20c'), body), 'a+b c');
  assert.equal(messageIdOf(topic('%24.mid=a+b'), body), 'a+b');
  assert.equal(messageIdOf(topic('$.mid=plain'), body), 'plain');
});

test('a message without an id gets one that depends on all of it and on nothing else', () => {
  const id = messageIdOf(topic(''), body);
  assert.match(id, /^unnamed-[0-9a-f]{32}$/);
  assert.equal(messageIdOf(topic(''), Buffer.from('{}')), id);
  assert.notEqual(messageIdOf(topic('k=v'), body), id);
  assert.notEqual(messageIdOf(topic(''), Buffer.from('{ }')), id);
});

test('a broken property bag still gives an id', () => {
  assert.match(messageIdOf(topic('%zz=%'), body), /^unnamed-/);
  assert.match(messageIdOf(topic('%24.mid='), body), /^unnamed-/);
});

test('only messages to a device are taken for messages', () => {
  assert.ok(isDevicebound(topic('')));
  for (const other of [
    '$iothub/twin/res/200/?$rid=1',
    'devices/pi/messages/events/',
    'devices/a/b/messages/devicebound/',
  ])
    assert.ok(!isDevicebound(other), other);
});
