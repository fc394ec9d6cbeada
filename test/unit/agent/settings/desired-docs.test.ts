import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CameraConfig, RecordingConfig } from '@dachawatch/contracts';
import { expectation } from '../../../../agent/settings/desired-value.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../../docs/twin.md'), 'utf8');

type Shape = Parameters<typeof expectation>[0] & {
  readonly default?: number;
  readonly description?: string;
};

/** Rows of the table: a property, and what lies in the objects of a list. */
function rows(path: string, shape: Shape): string[] {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const standard = shape.default ?? '';
  const row = `| \`${path}\` | ${cell(expectation(shape))} | ${standard} | ${cell(shape.description ?? '')} |`;
  const items = shape.items as Shape | undefined;
  return [
    row,
    ...Object.entries(items?.properties ?? {}).flatMap(([key, inner]) => rows(`${path}[].${key}`, inner)),
  ];
}

test('docs/twin.md names every desired property, with its bounds, and no other', () => {
  const expected = [
    ...Object.entries(RecordingConfig.properties).flatMap(([key, shape]) => rows(`recording.${key}`, shape)),
    ...Object.entries(CameraConfig.properties)
      .filter(([key]) => key !== 'id')
      .flatMap(([key, shape]) => rows(`cameras.ID.${key}`, shape)),
  ];
  const found = PAGE.split('\n').filter((line) => /^\| `(recording|cameras)\./.test(line));
  assert.deepEqual(found, expected, `the table should read:\n${expected.join('\n')}`);
});
