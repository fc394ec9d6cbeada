import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const RUNTIME = resolve(import.meta.dirname, '../../../../../cloud-fn/yolo/detectors/onnx-runtime.ts');

test('the ONNX runtime is the pinned one, which has no telemetry', () => {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  assert.equal(version, '1.27.0');
});

test('loading the ONNX runtime forbids telemetry and leaves no file, also outside CI', async () => {
  const home = await mkdtemp(join(tmpdir(), 'dachawatch-home-'));
  try {
    // Not weights, but the native library and its environment are loaded before it finds out.
    const script = `
      const { loadOnnxRuntime } = await import(${JSON.stringify(RUNTIME)});
      await loadOnnxRuntime().InferenceSession.create(Buffer.alloc(64)).catch(() => {});
      console.log(process.env.ORT_DISABLE_TELEMETRY);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      env: { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: join(home, '.cache') },
      timeout: 240_000,
    });
    assert.equal(stdout.trim(), '1');
    assert.deepEqual(await readdir(home, { recursive: true }), []);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
