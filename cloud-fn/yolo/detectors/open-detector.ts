import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { knownModels, type Model } from '../models/manifest.ts';
import { CENTERNET_SIDE, openCenternet } from './centernet.ts';
import type { Detector, SecondDetector } from './detector.ts';
import { openYolox } from './yolox.ts';

/** No weights: the worker cannot work, and no retry will change that. */
export class NoModel extends Error {
  override readonly name = 'NoModel';
}

const OPEN = { yolox: openYolox, centernet: openCenternet } as const;

/** Models whose files lie in the folder, the preferred one first. */
export function presentModels(folder: string, models: readonly Model[] = knownModels()): readonly Model[] {
  return models.filter(({ files }) => files.every(({ file }) => existsSync(join(folder, file))));
}

/** The best detector whose weights lie in the folder.
 *  @param name only this model; the preferred one of those present when absent
 *  @param warn told when a lesser model has to do
 *  @throws NoModel, WrongWeights */
export async function openDetector(
  folder: string,
  { name, warn }: { name?: string | undefined; warn: (message: string) => void },
): Promise<Detector> {
  const models = knownModels();
  if (name !== undefined && !models.some((model) => model.name === name))
    throw new NoModel(
      `no model is called ${name}; there are ${models.map((model) => model.name).join(' and ')}`,
    );
  const model = presentModels(folder).find((model) => name === undefined || model.name === name);
  if (!model) throw new NoModel(`no weights${name ? ` of ${name}` : ''} in ${folder}: run scripts/models`);
  if (model.detector === 'centernet' && name === undefined)
    warn(
      `the weights of ${models[0]?.name} are not in ${folder}: ${model.name} takes their place, ` +
        'which is about ten times slower and sees less',
    );
  return OPEN[model.detector](model, folder);
}

/** A detector of another family than the first one, opened when it is first asked; undefined when its weights are not in
 *  the folder.
 *  @param folder of the weights
 *  @param first name of the model that is in use */
export function secondDetector(folder: string, first: string): SecondDetector | undefined {
  const family = knownModels().find(({ name }) => name === first)?.detector;
  const model = presentModels(folder).find(
    ({ secondOpinion, detector }) => secondOpinion && detector !== family,
  );
  if (!model) return undefined;
  let opened: Promise<Detector> | undefined;
  return {
    inputSize: CENTERNET_SIDE,
    open: () => (opened ??= OPEN[model.detector](model, folder)),
    close: async () => (await opened)?.close(),
  };
}
