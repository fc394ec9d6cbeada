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

test('the summary names what passed only at the second try', () => {
  const again = ['test/system/run.test.ts'];
  const [one = '', two] = summaryTable([
    { name: 'system', files: 8, outcome: 'passed', seconds: 62, again },
  ]).split('\n');
  assert.match(one, /^system +passed/);
  assert.equal(two, '  only at the second try: test/system/run.test.ts');
});
