import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import iothub from 'azure-iothub';
import { makeSelfSigned } from '../../../agent/kernel/certificates/self-signed.ts';
import {
  addressOf,
  eventually,
  exampleReport,
  HUB_NAME,
  makeLink,
  online,
  pointAtHub,
  restConnectionString,
  useHub,
} from './hub-fixture.ts';

const STORAGE =
  'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;BlobEndpoint=https://127.0.0.1:1/a;';
const house = useHub(() => ({ storageConnection: STORAGE }));
const ID = 'cottage';

const newPem = () => makeSelfSigned({ commonName: ID, use: 'client' });
const fingerprints = (pem: string) => {
  const { fingerprint256, fingerprint } = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERT')));
  return { sha256: fingerprint256.replaceAll(':', ''), sha1: fingerprint.replaceAll(':', '') };
};
const credential = (pem: string) => `HostName=${HUB_NAME};DeviceId=${ID};x509=true\n${pem}`;

/** As an operator does it, with the real SDK. */
async function register(primaryThumbprint: string, secondaryThumbprint?: string) {
  const registry = iothub.Registry.fromConnectionString(restConnectionString(house.hub));
  pointAtHub(registry, house.hub);
  const x509Thumbprint = {
    primaryThumbprint,
    ...(secondaryThumbprint === undefined ? {} : { secondaryThumbprint }),
  };
  const device = { deviceId: ID, authentication: { type: 'selfSigned', x509Thumbprint } };
  const { responseBody } = await registry.create(device);
  return responseBody;
}

function link(pem: string) {
  const { mqttPort, httpsPort } = addressOf(house.hub);
  const made = makeLink(house.world, { connectionString: credential(pem), mqttPort, httpsPort });
  house.atEnd(() => made.stop());
  return made;
}

test('a device is let in by its certificate: messages, the twin and upload tickets go as with a key', async () => {
  const pem = newPem();
  const shown = await register(fingerprints(pem).sha256);
  assert.equal((shown.authentication as { type?: string }).type, 'selfSigned');
  assert.equal(shown.authentication?.symmetricKey?.primaryKey, null, 'there is no key to be stolen');
  const one = link(pem);
  await one.start();
  await online(one);
  one.report(exampleReport());
  assert.ok(await one.flush(new AbortController().signal));
  const service = await house.service();
  await service.send('m1', '{}', ID);
  await eventually('the message', () => one.stored.length === 1);
  const ticket = await one.requestTicket('a/b.mp4');
  assert.match(ticket.blobName, /^cottage\/a\/b\.mp4$/);
  await one.returnTicket(ticket.correlationId, { isSuccess: true, statusCode: 200, statusDescription: '' });
  assert.equal(house.hub.tickets.openCount(ID), 0);
});

test('SHA-1 as the second thumbprint lets in, too: so certificates are exchanged without an hour outside', async () => {
  const [before, after] = [newPem(), newPem()];
  await register(fingerprints(before).sha256, fingerprints(after).sha1.toLowerCase());
  for (const pem of [before, after]) {
    const one = link(pem);
    await one.start();
    await online(one);
    await one.stop();
  }
});

test('another certificate, none at all, and the key of such a device are refused', async () => {
  await register(fingerprints(newPem()).sha256);
  const stranger = link(newPem());
  await stranger.start();
  await eventually('the refusal', () => stranger.status().state === 'refused');
  await assert.rejects(stranger.requestTicket('a.mp4'), /401.*not the one that the hub knows/);
  const key = house.hub.devices.get(ID)?.primaryKey;
  const { mqttPort, httpsPort } = addressOf(house.hub);
  const withKey = makeLink(house.world, {
    connectionString: `HostName=${HUB_NAME};DeviceId=${ID};SharedAccessKey=${key}`,
    mqttPort,
    httpsPort,
  });
  house.atEnd(() => withKey.stop());
  await withKey.start();
  await eventually('the refusal', () => withKey.status().state === 'refused');
  await assert.rejects(withKey.requestTicket('a.mp4'), /401.*has shown none/);
});

test('what is no thumbprint is refused, and a hub that was stopped still knows the certificate', async () => {
  const pem = newPem();
  await assert.rejects(register('12345'), /40 or 64 hexadecimal digits/);
  await assert.rejects(register(''), /needs a thumbprint/);
  await register(fingerprints(pem).sha256);
  await house.restart();
  const one = link(pem);
  await one.start();
  await online(one);
});
