import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureCertificates } from '../../../../cloud-fn/local/certificates.ts';

test('whoever asks for fewer names gets the same certificate, and a new name is added to the old ones', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-certificates-'));
  try {
    const { certFile, caFile } = await ensureCertificates(dir, ['hub.test']);
    const first = readFileSync(certFile, 'utf8');
    await ensureCertificates(dir, []);
    assert.equal(readFileSync(certFile, 'utf8'), first);

    await ensureCertificates(dir, ['other.test']);
    const certificate = new X509Certificate(readFileSync(certFile));
    for (const name of ['localhost', 'hub.test', 'other.test']) assert.ok(certificate.checkHost(name), name);
    assert.ok(certificate.checkIP('127.0.0.1'));
    assert.ok(certificate.verify(new X509Certificate(readFileSync(caFile)).publicKey));
  } finally {
    rmSync(dir, { recursive: true });
  }
});
