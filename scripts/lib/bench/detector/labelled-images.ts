import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { groupOf } from '../../../../cloud-fn/yolo/detectors/coco-labels.ts';
import type { RelativeBox } from '../../../../cloud-fn/yolo/detectors/detector.ts';
import { Refusal } from '../../command/ends.ts';

export interface LabelledImage {
  /** As the manifest names it. */
  readonly file: string;
  readonly path: string;
  /** Only what detectors report. */
  readonly labelled: readonly { readonly label: string; readonly box: RelativeBox }[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Pictures of a folder with their labels, by the `manifest.json` in it or above.
 *  @throws Refusal with one sentence when they cannot be used */
export function readLabelledImages(folder: string): LabelledImage[] {
  const whole = resolve(folder);
  if (!statSync(whole, { throwIfNoEntry: false })?.isDirectory())
    throw new Refusal(`--images: there is no folder ${whole}`);
  const file = [whole, dirname(whole)]
    .map((place) => join(place, 'manifest.json'))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (file === undefined) throw new Refusal(`there is no manifest.json in ${whole} or above it`);
  const images = read(file)
    .map((image, index) => labelledImage(image, index, dirname(file)))
    .filter(({ path }) => !relative(whole, path).startsWith('..'));
  if (images.length === 0) throw new Refusal(`the manifest ${file} names no picture of ${whole}`);
  return images;
}

function read(file: string): readonly (Fields | null)[] {
  let manifest: Fields | null;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as Fields | null;
  } catch (error) {
    throw new Refusal(
      `the manifest ${file} ${error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'}`,
    );
  }
  const images = manifest?.['images'];
  if (!Array.isArray(images)) throw new Refusal(`the manifest ${file} has no list "images"`);
  return images as Fields[];
}

function labelledImage(image: Fields | null, index: number, folder: string): LabelledImage {
  const file = image?.['file'];
  if (typeof file !== 'string' || file === '')
    throw new Refusal(`picture ${index + 1} of the manifest has no "file"`);
  const [width, height] = [image?.['width'], image?.['height']].map(Number);
  if (!(width && width > 0 && height && height > 0))
    throw new Refusal(`${file} has no "width" and "height" in the manifest`);
  const objects = image?.['objects'] ?? [];
  if (!Array.isArray(objects)) throw new Refusal(`objects of ${file} is no list`);
  const path = resolve(folder, file);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new Refusal(`the picture ${path} does not exist`);
  const labelled = (objects as (Fields | null)[]).flatMap((object) => {
    const label = object?.['name'];
    const [left, top, right, bottom] = coordinates(object?.['xyxy'], basename(file));
    if (typeof label !== 'string') throw new Refusal(`an object of ${file} has no "name"`);
    if (groupOf(label) === undefined) return [];
    const box: RelativeBox = [left / width, top / height, right / width, bottom / height];
    return [{ label, box }];
  });
  return { file, path, labelled };
}

function coordinates(value: unknown, file: string): [number, number, number, number] {
  if (!Array.isArray(value) || value.length !== 4 || !value.every((one) => Number.isFinite(one)))
    throw new Refusal(`xyxy of an object of ${file} is a list of four numbers`);
  return value as [number, number, number, number];
}
