import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('host/', import.meta.url));
const SDK_NEEDED = 10;

/** This machine cannot build the program; the message says why. */
export class CannotBuild extends Error {
  override readonly name = 'CannotBuild';
}

/** Builds `host/` once for each state of its sources, in the user's cache. Gives the program's file.
 *  @throws CannotBuild without a .NET SDK that is new enough
 *  @throws Error with the compiler's words when it does not build */
export function buildHost(log: (text: string) => void): string {
  const sdk = spawnSync('dotnet', ['--version'], { encoding: 'utf8' });
  if (sdk.error !== undefined || sdk.status !== 0)
    throw new CannotBuild('this machine has no .NET SDK, which the real engine is built with');
  if (Number.parseInt(sdk.stdout, 10) < SDK_NEEDED)
    throw new CannotBuild(`the real engine needs .NET SDK ${SDK_NEEDED}, and this is ${sdk.stdout.trim()}`);

  const names = readdirSync(SOURCES)
    .filter((name) => /\.(?:cs|csproj|json)$/.test(name))
    .toSorted();
  const digest = createHash('sha256');
  for (const name of names) digest.update(name).update(readFileSync(join(SOURCES, name)));
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dachawatch/engine');
  const dir = join(cache, digest.digest('hex').slice(0, 16));
  const program = join(dir, 'bin/engine-host.dll');
  const built = join(dir, 'built');
  if (existsSync(built)) return program;

  log('building the real engine\n');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const outside = `-p:BaseIntermediateOutputPath=${dir}/obj/`;
  for (const args of [
    ['restore', '--locked-mode', outside],
    ['build', '--no-restore', '-c', 'Release', '-o', `${dir}/bin`, outside],
  ]) {
    const { status, stdout, stderr } = spawnSync('dotnet', [...args, '--nologo', '-v', 'q'], {
      cwd: SOURCES,
      encoding: 'utf8',
    });
    if (status !== 0 && /NU1301|NU1801/.test(stdout))
      throw new CannotBuild('NuGet cannot be reached, which the packages of the real engine come from');
    if (status !== 0) throw new Error(`dotnet ${args[0]} failed:\n${stdout}${stderr}`);
  }
  writeFileSync(built, '');
  return program;
}
