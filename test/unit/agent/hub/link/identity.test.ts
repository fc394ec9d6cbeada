import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { makeSelfSigned } from '../../../../../agent/kernel/certificates/self-signed.ts';
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

test('a device that goes by certificate has it, with its key, below the connection string', () => {
  const pem = makeSelfSigned({ commonName: 'pi', use: 'client' });
  const { certificate, ...who } = readIdentity(`HostName=h.example;DeviceId=pi;x509=true\n${pem}`);
  assert.deepEqual(who, { hostName: 'h.example', deviceId: 'pi' });
  const parsed = new X509Certificate(certificate?.cert ?? '');
  assert.equal(parsed.subject, 'CN=pi');
  assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'to be shown by a client');
  assert.ok(parsed.checkPrivateKey(createPrivateKey(certificate?.key ?? '')));
});

test('a certificate that is missing, torn, of another key, or beside a key is refused without repeating anything', () => {
  const [pem, other] = [1, 2].map(() => makeSelfSigned({ commonName: 'pi', use: 'client' }));
  const who = 'HostName=h.example;DeviceId=pi;x509=true';
  const [key = ''] = /-----BEGIN PRIVATE[^]+END PRIVATE KEY-----/.exec(pem ?? '') ?? [];
  const [cert = ''] = /-----BEGIN CERT[^]+END CERTIFICATE-----/.exec(other ?? '') ?? [];
  for (const bad of [
    who,
    `${who}\n${key}`,
    `${who}\n${cert}`,
    `${who}\n${key}\n${cert}`,
    `${who}\n${pem?.slice(0, 300)}`,
  ])
    assert.throws(
      () => readIdentity(bad),
      ({ message }: Error) =>
        /no private key with its certificate/.test(message) && !message.includes('BEGIN'),
      bad,
    );
  assert.throws(() => readIdentity(`${who};SharedAccessKey=geheim\n${pem}`), /holds both/);
  assert.throws(() => readIdentity(`HostName=h;DeviceId=pi\n${pem}`), /lacks SharedAccessKey/);
});

test('an endpoint is a host and a port', () => {
  assert.deepEqual(readEndpoint('localhost:8883'), { host: 'localhost', port: 8883 });
  for (const bad of ['localhost', ':1', 'h:0', 'h:65536', 'https://h:1', 'h:1/x'])
    assert.throws(() => readEndpoint(bad), /host:port/, bad);
});
