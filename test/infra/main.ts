/** `scripts/test infra`: its help stands in `scripts/test`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePackage } from '../../scripts/lib/deploy-cloud/functions-package.ts';
import { repoRoot } from '../../scripts/lib/places.ts';
import { bicepCompiler, compile, NoCompiler } from './bicep.ts';
import { CHECKS } from './checks.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const infra = (name: string) => join(repoRoot, 'cloud-fn/infra', name);

const dir = mkdtempSync(join(tmpdir(), 'dachawatch-infra-'));
try {
  const compiler = bicepCompiler(say);
  const templates = {
    main: compile(compiler, infra('main.bicep')),
    events: compile(compiler, infra('events.bicep')),
  };
  const { functions } = await makePackage(dir);
  let failed = 0;
  for (const [name, check] of Object.entries(CHECKS)) {
    const wrong = check(templates, functions);
    say(`${wrong.length === 0 ? 'holds' : 'FAILS'}  ${name}`);
    for (const sentence of wrong) say(`       ${sentence}`);
    if (wrong.length > 0) failed += 1;
  }
  say(`infra: ${Object.keys(CHECKS).length - failed} hold, ${failed} fail`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof NoCompiler)) throw error;
  process.stderr.write(`scripts/test infra: ${error.message}\n`);
  process.exitCode = 3;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
