import type { Model } from '../models/manifest.ts';
import { readModelFile } from '../models/manifest.ts';
import type { Detector, Picture } from './detector.ts';
import { packedRgbToPlanarBgr } from './letterbox.ts';
import { loadOnnxRuntime, ONE_THREAD } from './onnx-runtime.ts';
import { oneBoxPerThing } from './overlap.ts';
import { decodeYolox, yoloxRows } from './yolox-decode.ts';

const SIDE = 416;
/** Grey that YOLOX was trained to see around the picture. */
const PADDING = 114;

/** YOLOX on the native ONNX runtime. */
export async function openYolox(model: Model, folder: string): Promise<Detector> {
  const [weights] = model.files;
  if (!weights) throw new Error(`${model.name} has no file`);
  const bytes = await readModelFile(folder, weights);
  const ort = loadOnnxRuntime();
  const session = await ort.InferenceSession.create(bytes, ONE_THREAD);
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  if (inputName === undefined || outputName === undefined)
    throw new Error(`${weights.file} has no input or no output`);

  const pixels = new Float32Array(3 * SIDE * SIDE).fill(PADDING);
  const input = new ort.Tensor('float32', pixels, [1, 3, SIDE, SIDE]);
  let filled = { width: 0, height: 0 };

  async function detect(picture: Picture) {
    // Another shape of picture leaves its edges behind.
    if (picture.width !== filled.width || picture.height !== filled.height) pixels.fill(PADDING);
    filled = { width: picture.width, height: picture.height };
    packedRgbToPlanarBgr(picture, SIDE, pixels);
    const outputs = await session.run({ [inputName as string]: input });
    const data = outputs[outputName as string]?.data;
    if (!(data instanceof Float32Array) || data.length < yoloxRows(SIDE) * 85)
      throw new Error(`${model.name} gave an output of another shape than expected`);
    return oneBoxPerThing(decodeYolox(data, SIDE, picture));
  }

  return {
    model: { name: model.name, sha256: weights.sha256, licence: model.licence },
    runtime: `onnxruntime ${ort.env.versions.node ?? 'unknown'}`,
    inputSize: SIDE,
    detect,
    close: () => session.release(),
  };
}
