import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of a model. */
export interface ModelFile {
  /** Name in the models folder. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Public addresses, tried in order. */
  readonly addresses: readonly string[];
}

/** Weights a detector knows. */
export interface Model {
  readonly name: string;
  readonly detector: 'yolox' | 'centernet';
  /** Asked about people that another model is not sure of. */
  readonly secondOpinion?: boolean;
  /** SPDX */
  readonly licence: string;
  readonly origin: string;
  readonly files: readonly ModelFile[];
  /** npm package that carries the files, in `folder` of its archive. */
  readonly npm?: { readonly package: string; readonly version: string; readonly folder: string };
}

/** Every known model, the preferred one first. The manifest is part of the source, so its types are believed;
 *  a test checks them. */
export function knownModels(): readonly Model[] {
  const text = readFileSync(join(import.meta.dirname, 'manifest.json'), 'utf8');
  return (JSON.parse(text) as { models: Model[] }).models;
}

/** A file whose bytes are not the ones of the manifest. */
export class WrongWeights extends Error {
  override readonly name = 'WrongWeights';
}

/** The bytes of a model's file, checked.
 *  @throws WrongWeights naming file, expected and found hash */
export async function readModelFile(folder: string, wanted: ModelFile): Promise<Buffer> {
  const path = join(folder, wanted.file);
  const { size } = await stat(path);
  // Size first: a wrong file of gigabytes is not read to find that out.
  if (size !== wanted.bytes)
    throw new WrongWeights(`${path} is refused: it has ${size} bytes, ${wanted.file} has ${wanted.bytes}`);
  const bytes = await readFile(path);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== wanted.sha256)
    throw new WrongWeights(`${path} is refused: its SHA-256 is ${found}, expected ${wanted.sha256}`);
  return bytes;
}
