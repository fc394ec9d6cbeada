import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../../..');

/** Lints one file of a scratch project that has our rules. */
async function lint(file: string, text: string): Promise<{ ok: boolean; output: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-arrows-'));
  try {
    copyFileSync(join(root, '.oxlintrc.json'), join(dir, '.oxlintrc.json'));
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
    return await new Promise((resolve) => {
      execFile(
        join(root, 'node_modules/.bin/oxlint'),
        [file],
        { cwd: dir, timeout: 240_000 },
        (error, stdout, stderr) => resolve({ ok: error === null, output: stdout + stderr }),
      );
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const importing = (path: string) => `import { x } from '${path}';\nexport const y = x;\n`;

const forbidden: readonly [file: string, path: string][] = [
  ['contracts/messages/a.ts', '../../agent/kernel/clock.ts'],
  ['agent/kernel/a.ts', '../ledger/ledger.ts'],
  ['agent/kernel/files/a.ts', '../../ledger/ledger.ts'],
  ['agent/kernel/files/a.ts', '../../main.ts'],
  ['agent/upload/a.ts', '../ledger/database.ts'],
  ['agent/upload/a.ts', '../motion/zones/gate.ts'],
  ['agent/motion/zones/a.ts', '../../ledger/database.ts'],
  ['agent/motion/zones/a.ts', '../../hub/twin/desired.ts'],
  ['agent/motion/zones/a.ts', '../../../cloud-fn/ports/storage.ts'],
  ['agent/upload/a.ts', '../../cloud-fn/ports/storage.ts'],
  ['cloud-fn/orchestrators/a.ts', '../ports/storage.ts'],
  ['cloud-fn/orchestrators/a.ts', 'node:fs'],
  ['cloud-fn/activities/a.ts', '../orchestrators/clip-analysis.ts'],
  ['cloud-fn/ports/a.ts', '../activities/escalate.ts'],
  ['cloud-fn/functions/a.ts', '../../agent/kernel/clock.ts'],
];
for (const [file, path] of forbidden) {
  test(`lint refuses ${path} in ${file}`, async () => {
    const { ok, output } = await lint(file, importing(path));
    assert.equal(ok, false, 'the arrow was not refused');
    assert.match(output, /no-restricted-imports/);
  });
}

for (const code of [
  'Date.now()',
  'Math.random()',
  "fetch('http://x')",
  'process.pid',
  'performance.now()',
  'setTimeout(() => {}, 1)',
  'crypto.randomUUID()',
  'Promise.resolve(1)',
])
  test(`lint refuses ${code} in an orchestrator`, async () => {
    const { ok, output } = await lint('cloud-fn/orchestrators/a.ts', `export const x = () => ${code};\n`);
    assert.equal(ok, false, 'it was not refused');
    assert.match(output, /no-restricted-(?:globals|properties)|no-process-env/);
  });

const allowed: readonly [file: string, path: string][] = [
  ['agent/upload/a.ts', '../ledger/ledger.ts'],
  ['agent/kernel/files/a.ts', '../failure.ts'],
  ['agent/kernel/files/a.ts', '../waiting/sleep.ts'],
  ['agent/upload/a.ts', '../kernel/clock.ts'],
  ['agent/upload/a.ts', '../kernel/waiting/sleep.ts'],
  ['agent/upload/a.ts', './reconcile.ts'],
  ['agent/motion/zones/a.ts', '../../kernel/clock.ts'],
  ['agent/motion/zones/a.ts', '../../kernel/waiting/sleep.ts'],
  ['agent/motion/zones/a.ts', '../../ledger/ledger.ts'],
  ['agent/motion/zones/a.ts', '../tracking/track.ts'],
  ['agent/motion/zones/a.ts', '../detector.ts'],
  ['cloud-fn/activities/a.ts', '../ports/storage.ts'],
  ['cloud-fn/functions/a.ts', '../orchestrators/clip-analysis.ts'],
];
for (const [file, path] of allowed) {
  test(`lint allows ${path} in ${file}`, async () => {
    const { ok, output } = await lint(file, importing(path));
    assert.ok(ok, output);
  });
}
