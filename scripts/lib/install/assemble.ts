/** assemble.ts --to DIR: puts all that the agent needs to run into DIR, which must not exist, and prints the name of
 *  this version: the number of the release and what its content hashes to. Node is there, the native addons are built. */
import { createHash } from 'node:crypto';
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { repoRoot } from '../places.ts';
import { type LockPackages, modulesOf } from './modules.ts';

const WORKSPACE = 'agent';
/** Folders and files of the checkout beside npm's packages. */
const PARTS = ['agent', 'contracts', 'systemd', 'firmware-config/udev', 'docs/appliance.md', 'LICENSE'];
/** What packages hold for those who build them or read them. Node runs no TypeScript in node_modules. */
const NOT_RUN = /\.(?:[cm]?ts|map|md|markdown|c|cc|cpp|h|gyp|gypi|o|a|mk|Makefile)$|^Makefile$/;
const NOT_RUN_FOLDERS = new Set(['obj.target', '.deps', 'node_gyp_bins', '.github', 'node_modules']);
const NATIVE = /^(?:linux|linuxmusl|darwin|win32)-[a-z0-9]+(?:\.node)?$/;

const here = `linux-${process.arch}`;

function isRun(source: string): boolean {
  const name = basename(source);
  if (lstatSync(source).isDirectory()) return !NOT_RUN_FOLDERS.has(name);
  if (source.includes('/prebuilds/') && NATIVE.test(name)) return name === `${here}.node`;
  return !NOT_RUN.test(name);
}

function assemble(to: string): void {
  mkdirSync(to, { recursive: false });
  for (const part of PARTS) cpSync(join(repoRoot, part), join(to, part), { recursive: true });

  const lock = readFileSync(join(repoRoot, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lock) as { packages: LockPackages };
  for (const folder of modulesOf(packages, WORKSPACE)) {
    const target = join(to, folder);
    mkdirSync(dirname(target), { recursive: true });
    const linked = packages[folder]?.link ? packages[folder].resolved : undefined;
    if (linked !== undefined) symlinkSync(relative(dirname(folder), linked), target);
    else
      cpSync(join(repoRoot, folder), target, {
        recursive: true,
        verbatimSymlinks: true,
        // Packages inside this one come by their own name, when they are needed at all.
        filter: (source) => source === join(repoRoot, folder) || isRun(source),
      });
  }

  mkdirSync(join(to, 'bin'));
  cpSync(process.execPath, join(to, 'bin/node'));
}

/** The same files give the same name, whenever and wherever they were put together. */
function versionOf(dir: string): string {
  const hash = createHash('sha256');
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const file = join(dir, path);
    const stat = lstatSync(file);
    if (stat.isDirectory()) continue;
    const content = stat.isSymbolicLink() ? readlinkSync(file) : readFileSync(file);
    hash.update(`${path}\0${stat.mode & 0o111 ? 'x' : '-'}\0${content.length}\0`).update(content);
  }
  const { version } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8')) as { version: string };
  return `${version}-${hash.digest('hex').slice(0, 12)}`;
}

const { values } = parseArgs({ options: { to: { type: 'string' } } });
if (!values.to) throw new Error('--to DIR is required');
assemble(values.to);
process.stdout.write(`${versionOf(values.to)}\n`);
