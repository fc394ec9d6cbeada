import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as contracts from '@dachawatch/contracts';

interface Schema {
  readonly [keyword: string]: unknown;
}

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

/** A pattern with `+`, `*` or `{n,}` outside a character class lets any length through. */
const isBoundedPattern = (pattern: string) =>
  pattern.startsWith('^') &&
  pattern.endsWith('$') &&
  !/[+*]|\{\d+,\}/.test(pattern.replaceAll(/\\./g, 'x').replaceAll(/\[[^\]]*\]/g, 'x'));

/** Every place in the schema that has no bound, as a JSON pointer with what is missing. */
function unbounded(schema: Schema, path: string): string[] {
  const found: string[] = [];
  const { type } = schema;
  const has = (...names: string[]) => names.some((name) => schema[name] !== undefined);
  if (type === 'number' || type === 'integer') {
    for (const [what, names] of [
      ['least', ['minimum', 'exclusiveMinimum']],
      ['most', ['maximum', 'exclusiveMaximum']],
    ] as const) {
      const bound = names.map((name) => schema[name]).find((value) => value !== undefined);
      if (typeof bound !== 'number' || Math.abs(bound) > Number.MAX_SAFE_INTEGER)
        found.push(`${path}: ${what}`);
    }
  }
  if (type === 'string' && !has('maxLength', 'enum', 'const'))
    if (typeof schema['pattern'] !== 'string' || !isBoundedPattern(schema['pattern']))
      found.push(`${path}: length`);
  if (type === 'array' && !has('maxItems') && schema['additionalItems'] !== false)
    found.push(`${path}: items`);
  if (has('patternProperties') && !has('maxProperties')) found.push(`${path}: properties`);
  for (const key of ['properties', 'patternProperties'])
    for (const [name, inner] of Object.entries((schema[key] ?? {}) as Schema))
      if (isSchema(inner)) found.push(...unbounded(inner, `${path}/${name}`));
  for (const key of ['items', 'anyOf', 'allOf', 'oneOf'])
    for (const [i, inner] of [schema[key] ?? []].flat().entries())
      if (isSchema(inner)) found.push(...unbounded(inner, `${path}/${key}/${i}`));
  return found;
}

const values: readonly unknown[] = Object.values(contracts);
const schemas = values.filter(
  (value): value is Schema & { $id: string } => isSchema(value) && '$id' in value,
);

test('every number, text, list and record of every contract has bounds', () => {
  assert.ok(schemas.length >= 10);
  assert.deepEqual(
    schemas.flatMap((schema) => unbounded(schema, schema.$id)),
    [],
  );
  for (const [event, schema] of Object.entries(contracts.TELEMETRY_DATA))
    assert.deepEqual(unbounded(schema as unknown as Schema, event), []);
});

test('a bound that is missing is found, wherever it is', () => {
  for (const schema of [
    { type: 'number', minimum: 0 },
    { type: 'integer', maximum: 1 },
    { type: 'integer', minimum: 0, maximum: 1e300 },
    { type: 'string' },
    { type: 'string', pattern: '^a+$' },
    { type: 'string', pattern: 'a{1,2}' },
    { type: 'array', items: { type: 'boolean' } },
    { type: 'object', patternProperties: { '^.*$': { type: 'boolean' } } },
    { type: 'object', properties: { a: { anyOf: [{ type: 'null' }, { type: 'string' }] } } },
  ])
    assert.equal(unbounded(schema, '').length, 1, JSON.stringify(schema));
});

const verdict = {
  clip_id: '01KAPZ8Y4M3VQ7T0C2N5R8X1DB',
  revision: 1,
  instance_id: 'clip-1',
  verdict: 'person',
  labels: ['person'],
  confidence: 0.9,
  decided_utc: '2026-06-01T12:01:00Z',
  decision: 'notified',
  reason: 'A person was seen.',
};

test('a verdict with a number, a text or a time that nobody can keep is refused with its place', () => {
  contracts.parse(contracts.Verdict, verdict);
  const wrong: [string, unknown][] = [
    ['revision', 1e300],
    ['revision', Number.MAX_SAFE_INTEGER + 1],
    ['revision', 0],
    ['revision', 1.5],
    ['revision', Number.NaN],
    ['confidence', Number.POSITIVE_INFINITY],
    ['reason', 'x'.repeat(100_000)],
    ['labels', Array.from({ length: 100_000 }, () => 'person')],
    ['labels', ['x'.repeat(10_000)]],
    ['instance_id', 'x'.repeat(10_000)],
    ['decided_utc', '2026-13-01T00:00:00Z'],
    ['decided_utc', '2026-06-01T25:00:00Z'],
    ['decided_utc', '2026-06-01T00:00:00+99:99'],
    ['best_frame', { blobName: 'x', at_ms: 1e18, boxes: [] }],
    ['best_frame', { blobName: 'x', at_ms: 1, boxes: [{ label: 'a', box: [0, 0, 1, 1e9] }] }],
  ];
  for (const [field, value] of wrong)
    assert.throws(
      () => contracts.parse(contracts.Verdict, { ...verdict, [field]: value }),
      (error: Error) => error instanceof contracts.ContractError && error.path.startsWith(`/${field}`),
      `${field}: ${JSON.stringify(value).slice(0, 60)}`,
    );
});
