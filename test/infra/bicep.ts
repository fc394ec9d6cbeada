import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** No compiler can be had here; the message says why. */
export class NoCompiler extends Error {
  override readonly name = 'NoCompiler';
}

const VERSION = '0.49.2';
const PROJECT = join(import.meta.dirname, 'bicep.csproj');
const RESTORE_MS = 300_000;
const BUILD_MS = 120_000;

/** The Bicep compiler: of this machine's cache, or brought there from NuGet by a .NET SDK.
 *  @throws NoCompiler */
export function bicepCompiler(say: (text: string) => void): string {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new NoCompiler(
      `the package of the Bicep compiler is for linux-x64, and this is ${process.platform}-${process.arch}`,
    );
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dachawatch/bicep');
  const program = join(cache, `bicep-${VERSION}`);
  if (existsSync(program)) return program;
  const work = mkdtempSync(join(tmpdir(), 'dachawatch-bicep-'));
  try {
    say(`fetching the Bicep compiler ${VERSION}`);
    copyFileSync(PROJECT, join(work, 'bicep.csproj'));
    const args = ['restore', 'bicep.csproj', '--packages', join(work, 'packages'), '--nologo', '-v', 'q'];
    const { error, status, stdout } = spawnSync('dotnet', args, {
      cwd: work,
      encoding: 'utf8',
      timeout: RESTORE_MS,
    });
    if (error !== undefined)
      throw new NoCompiler('there is no .NET SDK, which brings the Bicep compiler from NuGet');
    if (status !== 0)
      throw new NoCompiler(
        `the Bicep compiler cannot be had from NuGet: ${stdout.trim().split('\n')[0] ?? ''}`,
      );
    mkdirSync(cache, { recursive: true });
    copyFileSync(
      join(work, `packages/azure.bicep.commandline.linux-x64/${VERSION}/tools/bicep`),
      `${program}.part`,
    );
    chmodSync(`${program}.part`, 0o755);
    copyFileSync(`${program}.part`, program);
    rmSync(`${program}.part`);
    return program;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export interface Compiled {
  /** The template of Azure Resource Manager. */
  readonly template: Template;
  /** What the compiler and its linter say. It answers warnings with exit code 0, so they are counted. */
  readonly complaints: readonly string[];
}

/** @throws Error when nothing comes out that can be read */
export function compile(compiler: string, file: string): Compiled {
  const { status, stdout, stderr, error } = spawnSync(compiler, ['build', file, '--stdout'], {
    encoding: 'utf8',
    timeout: BUILD_MS,
    maxBuffer: 1 << 26,
    // Its messages in English, whoever's machine this is.
    env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' },
  });
  if (error !== undefined) throw error;
  const complaints = stderr.split('\n').filter((line) => line.trim() !== '');
  if (status !== 0) throw new Error(`${file} does not compile:\n${stderr}`);
  return { template: JSON.parse(stdout) as Template, complaints };
}

/** Of a template, as far as it is looked at here. */
export interface Template {
  readonly resources: readonly Resource[] | Readonly<Record<string, Resource>>;
  readonly variables?: Readonly<Record<string, unknown>>;
}

export interface Resource {
  readonly type: string;
  readonly name: string;
  readonly scope?: string;
  readonly existing?: boolean;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export interface Found {
  readonly resource: Resource;
  /** In which it stands. */
  readonly template: Template;
}

/** All resources of a template and of those nested in it. */
export function resourcesOf(template: Template): Found[] {
  const own = Array.isArray(template.resources)
    ? (template.resources as readonly Resource[])
    : Object.values(template.resources as Readonly<Record<string, Resource>>);
  return own
    .filter(({ existing }) => existing !== true)
    .flatMap((resource) =>
      resource.type === 'Microsoft.Resources/deployments'
        ? resourcesOf(resource.properties?.['template'] as Template)
        : [{ resource, template }],
    );
}
