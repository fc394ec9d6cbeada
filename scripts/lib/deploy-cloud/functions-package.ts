/** What Azure Functions runs: one JavaScript file with all it needs, so that a cold start reads one file and nothing is
 *  installed in the cloud. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { zipSync, type Zippable } from 'fflate';
import { repoRoot } from '../places.ts';
import { registeredFunctions } from './registered-functions.ts';

export interface FunctionsPackage {
  readonly zip: string;
  readonly zipBytes: number;
  readonly sha256: string;
  readonly appBytes: number;
  /** How many npm packages are in it. */
  readonly packages: number;
  /** Names of the functions that it registers when it is loaded. */
  readonly functions: readonly string[];
}

/** What the Functions host gives to the app it loads, and nobody else has. */
const OF_THE_HOST = '@azure/functions-core';
export const MAIN = 'app.cjs';
/** The first moment that a zip file can name. */
const NO_TIME = new Date(1980, 0, 1);

/** Makes `app/` and `functions.zip` in a folder that is there; what lay under these names is replaced.
 *  @throws Error when the app cannot be bundled, or what was made registers no function outside the checkout */
export async function makePackage(dir: string): Promise<FunctionsPackage> {
  const app = join(dir, 'app');
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  const metafile = await bundle(join(app, MAIN));
  const packages = packagesIn(metafile);
  const source = JSON.parse(readFileSync(join(repoRoot, 'cloud-fn/package.json'), 'utf8')) as Manifest;
  writeJson(join(app, 'package.json'), {
    name: 'dachawatch-functions',
    version: source.version,
    private: true,
    license: 'Apache-2.0',
    main: MAIN,
    engines: { node: '>=22' },
  });
  cpSync(join(repoRoot, 'cloud-fn/host.json'), join(app, 'host.json'));
  cpSync(join(repoRoot, 'cloud-fn/.funcignore'), join(app, '.funcignore'));
  writeFileSync(join(app, 'LICENSES.txt'), packages.map(licenceOf).join('\n'));
  const functions = await registeredFunctions(join(app, MAIN));
  const zipped = zipOf(app);
  const zip = join(dir, 'functions.zip');
  writeFileSync(zip, zipped);
  return {
    zip,
    zipBytes: zipped.length,
    sha256: createHash('sha256').update(zipped).digest('hex'),
    appBytes: filesOf(app).reduce((sum, { bytes }) => sum + bytes.length, 0),
    packages: packages.length,
    functions,
  };
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { readonly type?: string };
  /** As packages wrote it long ago. */
  readonly licenses?: readonly { readonly type?: string }[];
}

/** CommonJS, because that is what most of the packages are, and `require` of Node's own modules stays what it is. */
async function bundle(outfile: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: [join(repoRoot, 'cloud-fn/functions/app.ts')],
    absWorkingDir: repoRoot,
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    // Names stay, so that what a person reads in a stack is what stands in the source.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    external: [OF_THE_HOST],
    // The worker is no part of it: where it would lie is said to be nowhere.
    define: { 'import.meta.url': '"file:///nowhere/app.cjs"' },
    logLevel: 'silent',
  });
  return metafile;
}

/** Folders of the npm packages that something was taken of, relative to the checkout. */
function packagesIn({ inputs }: Metafile): string[] {
  const found = new Set<string>();
  for (const path of Object.keys(inputs)) {
    const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    if (folder !== undefined) found.add(folder);
  }
  return [...found].toSorted();
}

/** Name, version and licence of a package, with the text that it asks to be kept. */
function licenceOf(folder: string): string {
  const dir = join(repoRoot, folder);
  const { name, version, license, licenses } = JSON.parse(
    readFileSync(join(dir, 'package.json'), 'utf8'),
  ) as Manifest;
  const named = typeof license === 'string' ? license : (license?.type ?? licenses?.[0]?.type ?? 'UNKNOWN');
  const file = readdirSync(dir).find((one) => /^(licen[cs]e|copying)/i.test(one));
  const text = file === undefined ? '' : `\n${readFileSync(join(dir, file), 'utf8').trim()}\n`;
  return `${'='.repeat(80)}\n${name} ${version}: ${named}\n${text}`;
}

function filesOf(dir: string) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((file) => ({ name: relative(dir, file), bytes: readFileSync(file) }));
}

/** The same files give the same bytes. */
function zipOf(dir: string): Uint8Array {
  const files: Zippable = {};
  for (const { name, bytes } of filesOf(dir)) files[name] = [bytes, { level: 9, mtime: NO_TIME }];
  return zipSync(files);
}

const writeJson = (file: string, value: unknown) =>
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
