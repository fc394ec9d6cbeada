import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { execFile } from 'node:child_process';
import { certificateFile, deviceCertificate } from '../../../agent/dashboard/access/certificate.ts';
import { keepPassword, passwordFile } from '../../../agent/dashboard/access/password.ts';
import { promisify } from 'node:util';

const DOCTOR = join(import.meta.dirname, '../../../scripts/doctor');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dachawatch-doctor-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Said {
  readonly checks: readonly {
    readonly name: string;
    readonly state: string;
    readonly found: string;
    readonly fix: string | null;
  }[];
}

const env = () => ({ ...process.env, HOME: dir, DACHAWATCH_CACHE: join(dir, 'cache'), DACHAWATCH_STATE: '' });

test('what is missing comes with the command that mends it, and the exit code says so', () => {
  const { status, stdout } = spawnSync(DOCTOR, ['--json', '--data', join(dir, 'run')], {
    env: env(),
    encoding: 'utf8',
  });
  const { checks } = JSON.parse(stdout) as Said;
  const model = checks.find(({ name }) => name === 'model');
  assert.deepEqual([model?.state, model?.fix, status], ['trouble', 'scripts/models', 1]);
  for (const { name, state, fix } of checks) assert.equal(state === 'ok', fix === null, name);
  assert.deepEqual(
    checks
      .filter(({ found }) => /does not run|none has been started|no hub was started/.test(found))
      .map(({ name }) => name),
    ['scripts/run', 'page', 'IoT hub', 'storage'],
  );
});

test('it fits a screen, and changes nothing', () => {
  const { stdout } = spawnSync(DOCTOR, ['--data', join(dir, 'run')], { env: env(), encoding: 'utf8' });
  assert.ok(stdout.trim().split('\n').length <= 24, stdout);
  assert.deepEqual(readdirSync(dir), []);
});

test('a page that answers is shown with its first sentence and the cameras that are not watched', async () => {
  const status = {
    house: {
      state: 'camera-down',
      level: 'trouble',
      cameras: ['Yard'],
      sinceUtc: '2026-11-20T12:00:00Z',
      count: null,
    },
    further: [],
    cameras: [
      { cameraId: 'yard', title: 'Yard', state: 'unreachable', detail: 'nothing answers at its address' },
    ],
    conditions: [],
    power: null,
    disk: null,
    refusedCount: 0,
  };
  const server = createServer((_request, response) => void response.end(JSON.stringify(status)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    mkdirSync(join(dir, 'run'));
    writeFileSync(join(dir, 'run/appliance.json'), JSON.stringify({ dashboard: { port } }));
    const ended = promisify(execFile)(DOCTOR, ['--data', join(dir, 'run')], { env: env() });
    const { stdout } = await ended.catch((error: { stdout: string }) => error);
    assert.match(
      stdout,
      /notice +page .*No picture from Yard since .* Yard is not watched: nothing answers at its address/,
    );
  } finally {
    server.close();
  }
});

test('a page that is open to others: what it has of password and certificate, and the command for what it lacks', async () => {
  const run = join(dir, 'run');
  const agent = join(run, 'agent');
  mkdirSync(agent, { recursive: true });
  const said = (host: string) => {
    writeFileSync(join(run, 'appliance.json'), JSON.stringify({ dashboard: { host } }));
    const { stdout } = spawnSync(DOCTOR, ['--json', '--data', run], { env: env(), encoding: 'utf8' });
    const { checks } = JSON.parse(stdout) as Said;
    return checks.find(({ name }) => name === 'page, to others');
  };
  assert.equal(said('127.0.0.1'), undefined);
  const none = said('0.0.0.0');
  assert.equal(none?.state, 'notice');
  assert.match(none?.found ?? '', /0\.0\.0\.0, but there is no password: it stays on 127\.0\.0\.1/);
  assert.match(none?.fix ?? '', /page-password.*restart the agent/);
  await keepPassword(agent, 'k7m2-x9pd-4fhc-w3tn');
  assert.match(said('0.0.0.0')?.found ?? '', /no certificate yet/);
  const { certificate } = deviceCertificate(agent, ['house.example']);
  const whole = said('house.example');
  assert.deepEqual([whole?.state, whole?.fix], ['ok', null]);
  assert.ok(whole?.found.includes(certificate.fingerprint));
  writeFileSync(certificateFile(agent), 'torn');
  assert.match(said('::')?.found ?? '', /certificate is damaged/);
  writeFileSync(passwordFile(agent), 'torn');
  assert.match(said('::')?.found ?? '', /stays on 127\.0\.0\.1: .*damaged/);
  if (process.getuid?.() === 0) return; // Root may read everything.
  chmodSync(passwordFile(agent), 0);
  assert.match(said('::')?.found ?? '', /you may not read/);
});
