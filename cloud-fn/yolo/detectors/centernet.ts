import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import type { Model } from '../models/manifest.ts';
import { readModelFile } from '../models/manifest.ts';
import { reportedLabel } from './coco-labels.ts';
import { isCandidate, type Detection, type Detector, type Picture } from './detector.ts';
import { oneBoxPerThing } from './overlap.ts';
import { clamp } from './yolox-decode.ts';

type Tf = typeof import('@tensorflow/tfjs-core');
type Converter = typeof import('@tensorflow/tfjs-converter');

export const CENTERNET_SIDE = 512;
const SIDE = CENTERNET_SIDE;
const OUTPUT = 'tower_0/detections';

/** CenterNet as a TensorFlow.js graph: needs no native library, so it runs wherever Node does. About ten times
 *  slower than YOLOX on the ONNX runtime, and less sure of what it sees. */
export async function openCenternet(model: Model, folder: string): Promise<Detector> {
  const weightsFile = model.files.find(({ file }) => file.endsWith('.bin'));
  const graphFile = model.files.find(({ file }) => file.endsWith('.json'));
  if (!weightsFile || !graphFile) throw new Error(`${model.name} needs a graph and its weights`);
  const weights = await readModelFile(folder, weightsFile);
  const graph = JSON.parse((await readModelFile(folder, graphFile)).toString('utf8')) as GraphFile;
  const { tf, converter, runtime } = await loadTensorflow();
  const loaded = await converter.loadGraphModel({
    load: async () => ({
      modelTopology: graph.modelTopology,
      signature: graph.signature,
      format: graph.format,
      weightSpecs: graph.weightsManifest[0]?.weights ?? [],
      // A copy: the pool behind a Buffer is shared with others.
      weightData: new Uint8Array(weights).buffer,
    }),
  });

  async function detect({ rgb, width, height }: Picture) {
    const pixels = new Float32Array(SIDE * SIDE * 3);
    for (let y = 0; y < height; y++)
      pixels.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), y * SIDE * 3);
    const input = tf.tensor4d(pixels, [1, SIDE, SIDE, 3]);
    const output = loaded.execute(input, OUTPUT);
    try {
      const tensor = Array.isArray(output) ? output[0] : output;
      const rows = await (tensor as import('@tensorflow/tfjs-core').Tensor).data();
      return oneBoxPerThing(decodeCenternet(rows as Float32Array, { width, height }));
    } finally {
      input.dispose();
      tf.dispose(output);
    }
  }

  return {
    model: { name: model.name, sha256: weightsFile.sha256, licence: model.licence },
    runtime,
    inputSize: SIDE,
    detect,
    close: async () => loaded.dispose(),
  };
}

interface GraphFile {
  readonly modelTopology: object;
  readonly signature: object;
  readonly format: string;
  readonly weightsManifest: { weights: import('@tensorflow/tfjs-core').io.WeightsManifestEntry[] }[];
}

/** Rows of left, top, right, bottom in input pixels, score, class number.
 *  @param picture size of the picture inside the input, top left */
export function decodeCenternet(
  rows: Float32Array,
  picture: { readonly width: number; readonly height: number },
): Detection[] {
  const found: Detection[] = [];
  for (let at = 0; at + 5 < rows.length; at += 6) {
    const confidence = rows[at + 4] ?? 0;
    const label = reportedLabel(Math.round(rows[at + 5] ?? -1));
    if (label === undefined || !isCandidate({ label, confidence })) continue;
    const box: Detection['box'] = [
      clamp((rows[at] ?? 0) / picture.width),
      clamp((rows[at + 1] ?? 0) / picture.height),
      clamp((rows[at + 2] ?? 0) / picture.width),
      clamp((rows[at + 3] ?? 0) / picture.height),
    ];
    if (box[2] > box[0] && box[3] > box[1]) found.push({ label, confidence: Math.min(1, confidence), box });
  }
  return found;
}

/** TensorFlow's native library when somebody installed it, WebAssembly otherwise. The native one is no dependency:
 *  its installation downloads from outside and takes everything down with it where that is impossible. */
async function loadTensorflow(): Promise<{ tf: Tf; converter: Converter; runtime: string }> {
  const require = createRequire(import.meta.url);
  if (isInstalled(require, '@tensorflow/tfjs-node')) {
    // tfjs-node 4.22 calls a function that Node 23 removed.
    const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
    util.isNullOrUndefined ??= (value) => value === null || value === undefined;
    const native = require('@tensorflow/tfjs-node') as Tf & Converter;
    return { tf: native, converter: native, runtime: `tfjs-node ${native.version_core}` };
  }
  const converter = require('@tensorflow/tfjs-converter') as Converter;
  const tf = require('@tensorflow/tfjs-core') as Tf;
  const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  wasm.setWasmPaths(join(folder, 'dist') + sep);
  if (!(await tf.setBackend('wasm')))
    throw new Error('the WebAssembly backend of TensorFlow.js did not start');
  return { tf, converter, runtime: `tfjs-wasm ${tf.version_core}` };
}

function isInstalled(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
