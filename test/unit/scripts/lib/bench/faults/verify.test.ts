import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Instance,
  mayReplace,
  verifyInstances,
} from '../../../../../../scripts/lib/bench/faults/verify.ts';

const instance = (instanceId: string, clipId: string, verdict?: string): Instance => ({
  instanceId,
  runtimeStatus: 'Completed',
  input: { clip: { clip_id: clipId } },
  output: { document: verdict === undefined ? undefined : { verdict } },
});
const second = { clip_id: 'a', reason: 'person seen' };

test('a second verdict is one too many, unless the analysis before it could not judge the clip', () => {
  assert.equal(mayReplace(second, [instance('1', 'a', 'person')]), false);
  assert.equal(mayReplace(second, [instance('1', 'a', 'nothing'), instance('2', 'b', 'undecided')]), false);
  assert.equal(mayReplace(second, [instance('1', 'a', 'undecided')]), true);
  assert.equal(mayReplace(second, [instance('1', 'a')]), true, 'it ended without a verdict');
  assert.equal(mayReplace(second, []), false);
});

test('a second verdict may say that somebody was told after all', () => {
  const later = { ...second, reason: 'person seen. It was delivered later.' };
  assert.equal(mayReplace(later, [instance('1', 'a', 'person')]), true);
});

test('two orchestrations that both judged one clip are one too many', () => {
  const twice = verifyInstances([instance('1', 'a', 'person'), instance('2', 'a', 'person')]);
  assert.deepEqual(
    twice.map(({ kind, clipId }) => ({ kind, clipId })),
    [{ kind: 'duplicated', clipId: 'a' }],
  );
  assert.deepEqual(verifyInstances([instance('1', 'a', 'undecided'), instance('2', 'a', 'person')]), []);
  assert.deepEqual(verifyInstances([instance('1', 'a', 'person'), instance('2', 'b', 'person')]), []);
});
