import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { deviceCertificate } from '../../../../../agent/dashboard/access/certificate.ts';

const NAMES = ['house', 'house.local', '192.168.1.5', 'fd00::5:1', '::ffff:10.0.0.7', 'cam.example.org'];

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-certificate-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const file = () => join(dir, 'page-certificate.pem');

test('a device makes its certificate once and keeps it, for its owner alone', () => {
  const first = deviceCertificate(dir, NAMES);
  const again = deviceCertificate(dir, ['another']);
  assert.deepEqual([first.isNew, again.isNew], [true, false]);
  assert.deepEqual(again.certificate, first.certificate);
  assert.equal(statSync(file()).mode & 0o777, 0o600);
  const parsed = new X509Certificate(first.certificate.cert);
  assert.equal(parsed.fingerprint256, first.certificate.fingerprint);
  assert.ok(parsed.verify(parsed.publicKey), 'it signs itself');
  assert.equal(parsed.ca, false);
  for (const name of ['house', 'house.local', 'cam.example.org']) assert.equal(parsed.checkHost(name), name);
  for (const ip of ['192.168.1.5', 'fd00::5:1']) assert.equal(parsed.checkIP(ip), ip);
  assert.equal(parsed.checkHost('evil.example'), undefined);
  // Whatever the clock of a device without a battery says.
  assert.ok(Date.parse(parsed.validFrom) < Date.UTC(2021, 0, 1));
  assert.ok(Date.parse(parsed.validTo) > Date.UTC(2049, 0, 1));
});

test('a client that trusts the certificate reaches the device by each of its names, and by no other', async () => {
  const { certificate } = deviceCertificate(dir, NAMES);
  const server = createServer({ key: certificate.key, cert: certificate.cert }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const reaches = async (servername: string) => {
    const socket = connect({ host: '127.0.0.1', port, servername, ca: certificate.cert });
    try {
      await once(socket, 'secureConnect');
      return socket.authorized;
    } catch (error) {
      assert.match(String((error as NodeJS.ErrnoException).code), /ALTNAME/);
      return false;
    } finally {
      socket.destroy();
    }
  };
  assert.equal(await reaches('house.local'), true);
  assert.equal(await reaches('cam.example.org'), true);
  assert.equal(await reaches('evil.example'), false);
  server.close();
  await once(server, 'close');
});

test('a damaged, torn, mixed or foreign file is replaced by a new certificate', () => {
  const other = deviceCertificate(mkdtempSync(join(dir, 'other-')), NAMES).certificate;
  const damages = [
    () => writeFileSync(file(), ''),
    () => truncateSync(file(), 300),
    () => writeFileSync(file(), readFileSync(file(), 'utf8').replace(/[A-Za-z]{20}/g, 'x'.repeat(20))),
    () => writeFileSync(file(), Buffer.alloc(100_000, 'x')),
    () => writeFileSync(file(), `${other.key}${deviceCertificate(dir, NAMES).certificate.cert}`),
    () => {
      rmSync(file());
      symlinkSync('/etc/passwd', file());
    },
  ];
  let before = deviceCertificate(dir, NAMES).certificate;
  for (const damage of damages) {
    damage();
    const { certificate, isNew } = deviceCertificate(dir, NAMES);
    assert.ok(isNew, String(damage));
    assert.notEqual(certificate.fingerprint, before.fingerprint);
    assert.deepEqual(deviceCertificate(dir, NAMES).certificate, certificate);
    before = certificate;
  }
});
