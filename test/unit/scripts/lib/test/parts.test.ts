import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectParts, summaryTable } from '../../../../../scripts/lib/test/parts.ts';

test('without words everything runs, cheapest first', () => {
  const all = ['lint', 'types', 'unit', 'integration', 'system', 'faults'];
  assert.deepEqual(selectParts([]), { parts: all, filters: [] });
});

test('named parts run in their own order, whatever the order of the words', () => {
  assert.deepEqual(selectParts(['system', 'types']), { parts: ['types', 'system'], filters: [] });
});

test('other words are filters; alone they look through all test files', () => {
  assert.deepEqual(selectParts(['capture', 'unit']), { parts: ['unit'], filters: ['capture'] });
  assert.deepEqual(selectParts(['capture']), {
    parts: ['unit', 'integration', 'system', 'faults'],
    filters: ['capture'],
  });
});

test('the summary has a line for each part', () => {
  const table = summaryTable([
    { name: 'types', files: undefined, outcome: 'passed', seconds: 1.25 },
    { name: 'unit', files: 12, outcome: 'failed', seconds: 62 },
  ]);
  assert.match(table, /^types +passed +1\.3 s\nunit +failed +12 files +62\.0 s$/);
});

test('the summary names each file that did not pass, and what came of it at the second try', () => {
  const [head = '', ...files] = summaryTable([
    {
      name: 'system',
      files: 8,
      outcome: 'failed',
      seconds: 62,
      troubles: [
        { file: 'test/system/a.test.ts', first: 'failed', last: 'passed' },
        { file: 'test/system/b.test.ts', first: 'hung', last: 'hung' },
        { file: 'test/system/c.test.ts', first: 'hung', last: 'failed' },
        { file: 'test/system/d.test.ts', first: 'hung', last: undefined },
      ],
    },
  ]).split('\n');
  assert.match(head, /^system +failed/);
  assert.deepEqual(files, [
    '  failed, passed only at the second try: test/system/a.test.ts',
    '  no end twice: test/system/b.test.ts',
    '  no end, then failed: test/system/c.test.ts',
    '  no end: test/system/d.test.ts',
  ]);
});
