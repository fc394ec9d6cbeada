import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../../../scripts/lib/places.ts';
import { upsCommand } from '../../../scripts/lib/run/ups-command.ts';

test('the UPS command that is printed works in any folder, with an odd path, whatever the machine’s own Node is', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-ups-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const state = join(dir, "the owner's $HOME & more");
  mkdirSync(state);
  const control = join(state, 'c.sock');
  const simulator = spawn(process.execPath, [
    ...[join(repoRoot, 'hardware/simulators/ups/main.ts'), '--socket', join(state, 'b.sock')],
    ...[
      '--control',
      control,
      '--scenario',
      join(repoRoot, 'hardware/simulators/ups/scenarios/normal-day.json'),
    ],
  ]);
  const ended = once(simulator, 'exit');
  t.after(async () => {
    simulator.kill();
    await ended;
  });
  const [ready] = (await once(simulator.stdout, 'data')) as [Buffer];
  assert.match(ready.toString(), /"ready":\s*true/);
  // An old Node that cannot run TypeScript would say no more.
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'node'), '#!/bin/sh\necho "the system’s own Node was used" >&2\nexit 9\n');
  chmodSync(join(bin, 'node'), 0o755);
  const answer = execFileSync('/bin/sh', ['-c', upsCommand(control)], {
    cwd: '/',
    env: { PATH: `${bin}:/usr/bin:/bin` },
    encoding: 'utf8',
  });
  assert.equal((JSON.parse(answer) as { ok: boolean }).ok, true);
});
