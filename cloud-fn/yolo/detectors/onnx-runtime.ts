import { createRequire } from 'node:module';

type OnnxRuntime = typeof import('onnxruntime-node');

/** The ONNX runtime, told not to phone home. Official Linux builds from 1.29 on collect telemetry unless the
 *  variable is set before the library is loaded; the version is pinned below that, and the variable set anyway. */
export function loadOnnxRuntime(): OnnxRuntime {
  // oxlint-disable-next-line node/no-process-env -- the native library reads the environment of the process
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return createRequire(import.meta.url)('onnxruntime-node') as OnnxRuntime;
}

/** More workers are faster than more threads: two threads cost 2.7 times the CPU for the same work on a busy machine. */
export const ONE_THREAD: import('onnxruntime-node').InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
};
