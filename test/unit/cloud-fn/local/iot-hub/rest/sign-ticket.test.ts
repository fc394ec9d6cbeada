import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTicketSigner } from '../../../../../../cloud-fn/local/iot-hub/rest/sign-ticket.ts';

const KEY = Buffer.alloc(64, 1).toString('base64');
const NOW = Date.UTC(2026, 10, 21, 12);
const sign = (connection: string) =>
  createTicketSigner({ connection, container: 'dacha-video', nowMs: () => NOW })({
    correlationId: 'c',
    deviceId: 'pi',
    blobName: 'pi/yard/a.mp4',
  });

test('a ticket names the storage host, with the account where the emulator has it in the path', () => {
  const emulator = `AccountName=acc;AccountKey=${KEY};BlobEndpoint=https://localhost:10000/acc/;`;
  assert.equal(sign(emulator).hostName, 'localhost:10000/acc');
  const azure = `DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=${KEY};EndpointSuffix=core.windows.net`;
  assert.equal(sign(azure).hostName, 'acc.blob.core.windows.net');
});

test('a ticket is for one blob, read and write, for one hour, in a version the emulator knows', () => {
  const { sasToken } = sign(`AccountName=acc;AccountKey=${KEY};BlobEndpoint=https://localhost:1/acc`);
  const query = new URLSearchParams(sasToken);
  assert.deepEqual(
    ['sr', 'sp', 'sv', 'spr', 'se'].map((name) => query.get(name)),
    ['b', 'rw', '2025-11-05', 'https', '2026-11-21T13:00:00Z'],
  );
});

test('a connection string that lacks a part is refused without being repeated', () => {
  assert.throws(() => sign('AccountName=acc'), /lacks AccountName or AccountKey/);
  assert.throws(
    () => sign(`AccountName=acc;AccountKey=${KEY};BlobEndpoint=nowhere`),
    (error: Error) => {
      assert.match(error.message, /BlobEndpoint/);
      assert.ok(!error.message.includes(KEY));
      return true;
    },
  );
});
