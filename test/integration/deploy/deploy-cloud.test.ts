import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { repoRoot } from '../../../scripts/lib/places.ts';
import { createAzureCli } from '../../fakes/azure-cli/stand-in.ts';

const IMAGE = `registry.example/yolo@sha256:${'a'.repeat(64)}`;
const UP = ['--up', '--email', 'owner@example.org', '--image', IMAGE, '--yes'];
const SECRET = 'https://hook.example/?token=do-not-tell';
/** What `--up` asks of a cloud with nothing in it. */
const CALLS_OF_UP = [
  'account show',
  'group exists',
  'group create',
  'deployment group create',
  'functionapp deployment source config-zip',
  'deployment group create',
];

function world(t: TestContext) {
  const azure = createAzureCli();
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-deploy-test-'));
  t.after(() => {
    azure.close();
    rmSync(dir, { recursive: true, force: true });
  });
  /** Temporary files of the command lie in a folder of their own. */
  async function deploy(...args: string[]) {
    const child = spawn(
      process.execPath,
      [join(repoRoot, 'scripts/lib/deploy-cloud/deploy-cloud.ts'), ...args],
      {
        env: { PATH: `${azure.path}:/usr/bin:/bin`, TMPDIR: dir, ...azure.environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const code = await new Promise<number | string>((resolve) =>
      child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown')),
    );
    return { code, out, err };
  }
  const isWhole = () => {
    const { dacha } = azure.cloud().groups;
    return dacha?.deployed.at(-1) === 'events' && dacha.deployed.includes('main') && dacha.published === true;
  };
  return { azure, dir, deploy, isWhole };
}

test('up says what it makes and costs, makes it in five steps, and says what is left', async (t) => {
  const { azure, dir, deploy, isWhole } = world(t);
  const { code, out, err } = await deploy(...UP, '--clips', '100');
  assert.equal(code, 0, err);
  assert.ok(isWhole());
  assert.deepEqual(azure.calls(), CALLS_OF_UP);
  assert.deepEqual(azure.complaints(), []);
  assert.match(out, /100 clips a day about \d+ USD a month: hub \d+ USD, worker \d+ USD/);
  assert.ok(out.indexOf('a month') < out.indexOf('1 of 5'), 'the costs come first');
  for (const step of ['1 of 5', '5 of 5', 'dacha-hub-1.azure-devices.net', 'dacha1.azurecr.io'])
    assert.ok(out.includes(step), step);
  const { budgetStart, ...parameters } = azure.cloud().groups['dacha']?.parameters ?? {};
  assert.match(String(budgetStart), /^\d{4}-\d\d-01$/);
  assert.deepEqual(parameters, {
    location: 'westeurope',
    contactEmail: 'owner@example.org',
    workerImage: IMAGE,
    worker: 'job',
  });
  assert.deepEqual(readdirSync(dir), [], 'nothing temporary is left');
});

test('the budget keeps its first day, which Azure does not let be changed', async (t) => {
  const { azure, deploy } = world(t);
  azure.set({
    groups: { dacha: { location: 'westeurope', tags: { dachawatch: '2025-03-01' }, deployed: [] } },
  });
  assert.equal((await deploy(...UP)).code, 0);
  assert.equal(azure.cloud().groups['dacha']?.parameters?.['budgetStart'], '2025-03-01');
});

test('up again brings the same up to date', async (t) => {
  const { azure, deploy, isWhole } = world(t);
  await deploy(...UP);
  const { code } = await deploy(...UP, '--worker', 'group');
  assert.equal(code, 0);
  assert.ok(isWhole());
  assert.equal(azure.cloud().groups['dacha']?.parameters?.['worker'], 'group');
  assert.equal(azure.calls().filter((call) => call === 'group create').length, 1);
});

for (const when of ['before', 'after'] as const)
  for (const [call, command] of CALLS_OF_UP.entries())
    test(`up that is killed ${when} its call ${call} (${command}) is gone on with by another one`, async (t) => {
      const { azure, deploy, isWhole } = world(t);
      azure.set({ kills: { call, when } });
      assert.equal((await deploy(...UP)).code, 'SIGKILL');
      const again = await deploy(...UP);
      assert.equal(again.code, 0, again.err);
      assert.ok(isWhole());
      assert.deepEqual(azure.complaints(), []);
    });

for (const [call, command] of CALLS_OF_UP.entries())
  test(`a failure of call ${call} (${command}) is told in one sentence, and the next run goes on`, async (t) => {
    const { azure, deploy, isWhole } = world(t);
    azure.set({ fails: call });
    const { code, err } = await deploy(...UP);
    assert.equal(code, call === 0 ? 2 : 1);
    assert.match(err, /^scripts\/deploy-cloud: .*the platform is not well today\)?\n$/);
    azure.set({ fails: -1 });
    assert.equal((await deploy(...UP)).code, 0);
    assert.ok(isWhole());
  });

test('a secret reaches Azure by a file that only this user can read, and is never said', async (t) => {
  const { azure, dir, deploy } = world(t);
  const file = join(dir, 'webhook');
  writeFileSync(file, `${SECRET}\n`);
  const { code, out, err } = await deploy(...UP, '--webhook-file', file);
  assert.equal(code, 0, err);
  assert.equal(azure.cloud().groups['dacha']?.parameters?.['notifyWebhook'], SECRET);
  assert.ok(!`${out}${err}`.includes('do-not-tell'));
  assert.deepEqual(readdirSync(dir), ['webhook']);
});

test('a resource group that somebody else has made is neither changed nor deleted', async (t) => {
  const { azure, deploy } = world(t);
  azure.set({ groups: { dacha: { location: 'westeurope', tags: { owner: 'accounting' }, deployed: [] } } });
  for (const action of [UP, ['--down', '--yes'], ['--check']]) {
    const { code, err } = await deploy(...action);
    assert.equal(code, 2);
    assert.match(err, /the resource group dacha was not made by this command; choose another --group/);
  }
  assert.deepEqual(azure.cloud().groups['dacha']?.deployed, []);
});

test('down deletes what up has made, and says so when nothing is there', async (t) => {
  const { azure, deploy } = world(t);
  await deploy(...UP);
  const { code, out } = await deploy('--down', '--yes');
  assert.equal(code, 0);
  assert.match(out, /all clips in it would be deleted, for good/);
  assert.deepEqual(azure.cloud().groups, {});
  assert.match((await deploy('--down', '--yes')).out, /nothing is left to take down/);
});

test('nothing is made or deleted where nobody can be asked', async (t) => {
  const { azure, deploy } = world(t);
  const { code, err } = await deploy(...UP.filter((word) => word !== '--yes'));
  assert.equal(code, 2);
  assert.match(err, /nobody can be asked here; --yes says yes/);
  assert.deepEqual(azure.cloud().groups, {});
});

test('check and what-if change nothing, and say what they found', async (t) => {
  const { azure, deploy } = world(t);
  assert.match((await deploy('--check')).out, /there is no resource group dacha yet/);
  const early = await deploy(...UP.slice(0, -1).map((word) => (word === '--up' ? '--what-if' : word)));
  assert.equal(early.code, 2);
  assert.match(early.err, /everything would be made; --up makes it/);
  await deploy(...UP);
  const before = JSON.stringify(azure.cloud());
  const { out } = await deploy(...UP.slice(0, -1).map((word) => (word === '--up' ? '--what-if' : word)));
  assert.match(out, /^Modify {2}.*dacha-yolo\n1 of 2 would change$/m);
  assert.match((await deploy('--check')).out, /the resource group dacha is ours/);
  assert.equal(JSON.stringify(azure.cloud()), before);
  assert.deepEqual(azure.complaints(), []);
});

test('without a sign-in, or without az, a person learns what to do', async (t) => {
  const { azure, deploy } = world(t);
  azure.set({ signedIn: false });
  const { code, err } = await deploy('--check');
  assert.deepEqual([code, /nobody is signed in to Azure: az login first/.test(err)], [2, true], err);
});
