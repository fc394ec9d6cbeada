import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PACK_MS = 300_000;
const UNPACK_MS = 60_000;
/** npm's own would hold up a start without a network for more than a minute. */
const SHORT_RETRIES = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=3000'];

/** Files out of a published npm package, without installing it. npm checks the archive's own hash.
 *  @param names files directly in `folder` of the archive
 *  @throws Error with one sentence when the package cannot be had */
export async function packageFiles(
  source: { readonly package: string; readonly version: string; readonly folder: string },
  names: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-npm-'));
  try {
    const wanted = `${source.package}@${source.version}`;
    // In an empty folder: the checkout's own npm settings are not for this.
    const args = ['pack', wanted, '--pack-destination', dir, '--loglevel=error', ...SHORT_RETRIES];
    await run('npm', args, {
      cwd: dir,
      timeout: PACK_MS,
    }).catch((error: Error & { stderr?: string }) => {
      const last = error.stderr?.trim().split('\n').at(-1);
      throw new Error(`npm cannot bring ${wanted}: ${last || error.message}`);
    });
    const archive = (await readdir(dir)).find((name) => name.endsWith('.tgz'));
    if (archive === undefined) throw new Error(`npm brought no archive of ${wanted}`);
    const paths = names.map((name) => `${source.folder}/${name}`);
    await run('tar', ['-xzf', archive, '--no-same-owner', '--', ...paths], { cwd: dir, timeout: UNPACK_MS });
    const found = new Map<string, Buffer>();
    for (const name of names) found.set(name, await readFile(join(dir, source.folder, name)));
    return found;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
