import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as contracts from '@dachawatch/contracts';
import type { TSchema } from 'typebox';
import { schemaFiles } from '../../../contracts/emit-schema.ts';

const root = join(import.meta.dirname, '../../../contracts');
const example = (id: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, 'examples', `${id}.json`), 'utf8'));
const values: readonly unknown[] = Object.values(contracts);
const schemas = values.filter(
  (value): value is TSchema & { $id: string; required?: string[] } =>
    typeof value === 'object' && value !== null && '$id' in value,
);
const fileId = (schema: { $id: string }) => schema.$id.replace('dachawatch/', '').replaceAll('/', '.');

test('every contract has an id that ends in a version', () => {
  assert.ok(schemas.length >= 10);
  for (const schema of schemas) assert.match(schema.$id, /^dachawatch\/[a-z-]+\/\d+$/);
});

test('the emitted JSON Schema files are those of the code', () => {
  for (const { file, text } of schemaFiles()) {
    assert.ok(existsSync(file), `${file} is missing: npm run schema`);
    assert.equal(readFileSync(file, 'utf8'), text, `${file} is stale: npm run schema`);
  }
  assert.equal(readdirSync(join(root, 'schema')).length, schemas.length, 'a schema file has no contract');
});

for (const schema of schemas) {
  test(`${schema.$id}: the golden example is read without loss`, () => {
    const golden = example(fileId(schema));
    assert.deepEqual(contracts.parse(schema, golden), golden);
  });

  test(`${schema.$id}: a newer writer's unknown field is ignored, a missing field is refused by name`, () => {
    const golden = example(fileId(schema));
    assert.deepEqual(contracts.parse(schema, { ...golden, from_the_future: { a: 1 } }), golden);
    for (const field of schema.required ?? []) {
      const { [field]: _missing, ...rest } = golden;
      assert.throws(
        () => contracts.parse(schema, rest),
        (error: Error) =>
          error instanceof contracts.ContractError &&
          error.message.includes(field) &&
          error.message.includes(schema.$id),
      );
    }
  });
}

test('defaults of the configuration are filled in, and a wrong value is refused with its place', () => {
  const { sensitivity: _default, ...camera } = example('camera.1');
  const config = {
    schema: 'dachawatch/appliance/1',
    deviceId: 'dacha-1',
    hub: { credential: 'iothub' },
    cameras: [camera],
    recording: {},
    storage: {},
    dashboard: {},
  };
  const read = contracts.parseWithDefaults(contracts.ApplianceConfig, config);
  assert.deepEqual(read.recording, { preRollMs: 5_000, postRollMs: 30_000 });
  assert.equal(read.cameras[0]?.sensitivity, 5);
  assert.throws(
    () => contracts.parseWithDefaults(contracts.ApplianceConfig, { ...config, recording: { preRollMs: -1 } }),
    /appliance\/1: \/recording\/preRollMs/,
  );
});

test('an address with a login in it is refused: passwords do not travel in configuration', () => {
  const camera = { ...example('camera.1'), main: 'rtsp://viewer:secret@192.168.7.20/stream1' };
  assert.throws(() => contracts.parse(contracts.CameraConfig, camera), /\/main/);
});
