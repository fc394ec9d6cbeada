import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEndpoint, readIdentity } from '../../../../../agent/hub/link/identity.ts';

test('hub and device are read from a connection string, whatever else is in it', () => {
  assert.deepEqual(readIdentity('HostName=h.example;DeviceId=pi;SharedAccessKey=a+b/c==;X=1'), {
    hostName: 'h.example',
    deviceId: 'pi',
  });
});

test('a connection string that lacks a part is refused in words that do not repeat it', () => {
  assert.throws(
    () => readIdentity('HostName=h;SharedAccessKey=geheim'),
    (error: Error) => {
      assert.match(error.message, /lacks DeviceId/);
      assert.doesNotMatch(error.message, /geheim/);
      return true;
    },
  );
  assert.throws(() => readIdentity(''), /lacks HostName/);
});

test('an endpoint is a host and a port', () => {
  assert.deepEqual(readEndpoint('localhost:8883'), { host: 'localhost', port: 8883 });
  for (const bad of ['localhost', ':1', 'h:0', 'h:65536', 'https://h:1', 'h:1/x'])
    assert.throws(() => readEndpoint(bad), /host:port/, bad);
});
