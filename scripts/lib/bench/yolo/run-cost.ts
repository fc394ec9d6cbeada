import type { Detector } from '../../../../cloud-fn/yolo/detectors/detector.ts';
import { loadOnnxRuntime, ONE_THREAD } from '../../../../cloud-fn/yolo/detectors/onnx-runtime.ts';
import { knownModels, readModelFile } from '../../../../cloud-fn/yolo/models/manifest.ts';

const RUNS = 20;

/** CPU milliseconds of one run of the net alone, without what prepares a picture and reads the output. Of a net that does
 *  not run on the ONNX runtime, with these. */
export async function runCost(folder: string, detector: Detector): Promise<number> {
  const { inputSize: side } = detector;
  const file = knownModels()
    .find(({ name }) => name === detector.model.name)
    ?.files.find((one) => one.file.endsWith('.onnx'));
  if (!file)
    return averageOf(() =>
      detector.detect({ rgb: new Uint8Array(3 * side * side), width: side, height: side }),
    );
  const ort = loadOnnxRuntime();
  const session = await ort.InferenceSession.create(await readModelFile(folder, file), ONE_THREAD);
  try {
    const input = new ort.Tensor('float32', new Float32Array(3 * side * side).fill(114), [1, 3, side, side]);
    return await averageOf(() => session.run({ [session.inputNames[0] ?? '']: input }));
  } finally {
    await session.release();
  }
}

async function averageOf(run: () => Promise<unknown>): Promise<number> {
  await run();
  const { user, system } = process.cpuUsage();
  for (let at = 0; at < RUNS; at++) await run();
  const used = process.cpuUsage();
  return (used.user + used.system - user - system) / 1000 / RUNS;
}
