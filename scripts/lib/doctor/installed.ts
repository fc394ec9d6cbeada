/** What is installed, and how much room there is. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { MIN_FREE_BYTES } from '../../../agent/ledger/ledger.ts';
import { knownModels } from '../../../cloud-fn/yolo/models/manifest.ts';
import { cacheDir, repoRoot } from '../places.ts';
import { type Check, notice, ok, trouble } from './check.ts';

const ASK_MS = 20_000;

const run = (command: string, args: readonly string[], cwd = repoRoot) =>
  promisify(execFile)(command, [...args], { cwd, timeout: ASK_MS }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );

export async function versions(): Promise<Check> {
  const { version } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8')) as { version: string };
  const commit = await run('git', ['rev-parse', '--short', 'HEAD']);
  const os = /^PRETTY_NAME="?([^"\n]*)/m.exec(readIf('/etc/os-release') ?? '')?.[1] ?? 'unknown system';
  const found = `Dachawatch ${version}${commit ? ` (${commit})` : ''}, Node ${process.versions.node}, Linux ${release()}, ${os}`;
  return ok('versions', found);
}

/** @param packages names of Debian packages */
export async function packagesOfDebian(packages: readonly string[]): Promise<Check> {
  const name = 'Debian packages';
  // It exits with 1 when one is unknown, and tells of the others all the same.
  const listed = await promisify(execFile)('dpkg-query', [
    '-W',
    '-f',
    '${Package} ${db:Status-Abbrev}\n',
    ...packages,
  ])
    .then(({ stdout }) => stdout)
    .catch((error: { stdout?: string; code?: string }) =>
      error.code === 'ENOENT' ? undefined : error.stdout,
    );
  if (listed === undefined)
    return notice(name, 'this is not Debian', `it needs what these hold: ${packages.join(' ')}`);
  const missing = packages.filter((one) => !listed.split('\n').some((line) => line.startsWith(`${one} ii`)));
  if (missing.length === 0) return ok(name, `all ${packages.length} are installed`);
  return trouble(
    name,
    `${missing.length} of ${packages.length} are missing`,
    `sudo apt-get install --no-install-recommends ${missing.join(' ')} (scripts/run does it, too)`,
  );
}

export function packagesOfNpm(): Check {
  const name = 'npm packages';
  const lock = createHash('sha256')
    .update(readFileSync(join(repoRoot, 'package-lock.json')))
    .digest('hex');
  const stamp = readIf(join(repoRoot, 'node_modules/.installed-lock')) ?? '';
  // As scripts/lib/setup.sh notes it. Loading an addon would leave a list of GStreamer's plugins behind.
  const built = readIf(join(repoRoot, 'node_modules/.built-addons')) ?? '';
  if (!built.startsWith(process.version + process.arch))
    return trouble(name, 'the native addons are not built for this Node', 'scripts/run builds them');
  if (stamp.startsWith(lock)) return ok(name, 'as package-lock.json has them, native addons built');
  return notice(
    name,
    'installed by hand, or for another package-lock.json',
    'scripts/run brings them up to date',
  );
}

export function models(): Check {
  const dir = join(cacheDir(), 'models');
  const all = knownModels();
  const [preferred] = all;
  const found = all.find(({ files }) => files.every(({ file }) => existsSync(join(dir, file))));
  if (!found) return trouble('model', `none in ${dir}`, 'scripts/models');
  const isBest = found.name === preferred?.name;
  const said = `${found.name} in ${dir}`;
  return isBest
    ? ok('model', said)
    : notice('model', `${said}, a lesser one`, `scripts/models brings ${preferred?.name}`);
}

/** Room where `dir` is, or will be. */
export function diskOf(name: string, dir: string): Check {
  let at = dir;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  const { bavail, bsize, blocks } = statfsSync(at);
  const gb = (count: number) => `${((count * bsize) / 1e9).toFixed(1)} GB`;
  const found = `${gb(bavail)} of ${gb(blocks)} free at ${at}`;
  if (bavail * bsize > 10 * MIN_FREE_BYTES) return ok(name, found);
  const fix = 'make room, or give another folder with --data';
  return bavail * bsize > MIN_FREE_BYTES ? notice(name, found, fix) : trouble(name, found, fix);
}

function readIf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // It is not there, and the line says so.
  }
}
