import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ledgerCost } from '../../../scripts/lib/bench/upload/ledger-cost.ts';
import { Refusal } from '../../../scripts/lib/command/ends.ts';
import { benchUpload, uploadRounds } from '../../../scripts/lib/bench/upload/upload.ts';

const { signal } = new AbortController();

test('every clip of every round is carried to storage, by the uploader and by a plain PUT', async () => {
  const { ours, plain } = await uploadRounds({ clips: 2, bytes: 1_500_000, tell: () => undefined, signal });
  assert.equal(ours.length, 5);
  assert.equal(plain.length, 5);
  for (const used of [...ours, ...plain]) assert.ok(used > 0, `${used}`);
});

test('a made ledger answers everything that is measured', () => {
  const { rows, ...figures } = ledgerCost(100);
  assert.equal(rows, 100);
  for (const [name, used] of Object.entries(figures)) assert.ok(used > 0, `${name} ${used}`);
});

test('options that cannot be are refused in one sentence', async () => {
  for (const args of [
    ['--clips', '0'],
    ['--mb', 'many'],
    ['--rounds', '2'],
  ])
    await assert.rejects(benchUpload(args, signal), (error: Error) => {
      assert.ok(error instanceof Refusal);
      assert.match(error.message, new RegExp(`${args[0]}`));
      return true;
    });
});
