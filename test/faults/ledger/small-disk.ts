import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Why this machine cannot give a test a disk of its own; undefined when it can. */
export const NO_SMALL_DISK: string | undefined = (() => {
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=1m tmpfs /mnt'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'a disk of its own for a test needs the right to mount (root)';
  }
})();

/** Runs a scenario of `disk-scenarios.ts` in a process of its own that has a small disk of its own, which goes with it.
 *  @throws with what the process said, when the scenario failed */
export async function onSmallDisk(t: TestContext, scenario: string, sizeMb: number): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-small-disk-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const program = join(import.meta.dirname, 'disk-scenarios.ts');
  const script = 'mount -t tmpfs -o "size=$1m" tmpfs "$2" && exec "$3" "$4" "$5" "$2"';
  const args = ['-m', 'sh', '-c', script, 'sh', String(sizeMb), dir, process.execPath, program, scenario];
  return await new Promise((resolve, reject) => {
    execFile('unshare', args, { timeout: 300_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${scenario}: ${stdout}\n${stderr}`));
      else resolve(stdout);
    });
  });
}
