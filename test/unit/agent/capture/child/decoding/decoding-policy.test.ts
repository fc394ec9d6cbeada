import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createDecodingPolicy,
  type DecodingPolicy,
  MAX_KEY_DISTANCE_MS,
} from '../../../../../../agent/capture/child/decoding/decoding-policy.ts';
import type { GateDecision } from '../../../../../../agent/motion/motion.ts';

const QUIET: GateDecision = { kind: 'quiet' };
const MOTION: GateDecision = { kind: 'motion', regions: [], cause: { kind: 'picture' } };
const suppressed = (reason: Extract<GateDecision, { kind: 'suppressed' }>['reason']): GateDecision => ({
  kind: 'suppressed',
  reason,
  regions: [],
});
const CANDIDATE = suppressed('too-short');

/** Pictures ten a second, a key picture every `keyMs`, all judged alike. */
function show(
  policy: DecodingPolicy,
  decision: GateDecision,
  { fromMs, toMs, keyMs = 1_000 }: { fromMs: number; toMs: number; keyMs?: number },
): void {
  for (let atMs = fromMs; atMs < toMs; atMs += 100) {
    policy.came({ key: atMs % keyMs === 0, reordered: false, atMs });
    policy.judged(decision, atMs);
  }
}

function quietPolicy(): DecodingPolicy {
  const policy = createDecodingPolicy();
  show(policy, QUIET, { fromMs: 0, toMs: 10_000 });
  assert.equal(policy.decoding(10_000), 'keys');
  return policy;
}

test('a camera is decoded whole at first, and by its key pictures once nothing moves', () => {
  const policy = createDecodingPolicy();
  show(policy, suppressed('learning'), { fromMs: 0, toMs: 1_000 });
  assert.equal(policy.decoding(1_000), 'all');
  show(policy, QUIET, { fromMs: 1_000, toMs: 3_000 });
  assert.equal(policy.decoding(3_000), 'all');
  show(policy, QUIET, { fromMs: 3_000, toMs: 5_000 });
  assert.equal(policy.decoding(5_000), 'keys');
});

test('a suspicious key picture makes everything be decoded, until nothing has been seen for three seconds', () => {
  const policy = quietPolicy();
  policy.suspected(10_000);
  assert.equal(policy.alertness(), 'suspicious');
  show(policy, CANDIDATE, { fromMs: 10_100, toMs: 15_000 });
  show(policy, QUIET, { fromMs: 15_000, toMs: 17_800 });
  assert.equal(policy.decoding(17_800), 'all');
  show(policy, QUIET, { fromMs: 17_800, toMs: 18_000 });
  assert.equal(policy.alertness(), 'quiet');
  assert.equal(policy.decoding(18_000), 'keys');
});

test('an event ends three seconds after its last motion, or goes on as a suspicion while something is left', () => {
  const policy = quietPolicy();
  show(policy, MOTION, { fromMs: 10_000, toMs: 12_000 });
  assert.equal(policy.alertness(), 'event');
  show(policy, CANDIDATE, { fromMs: 12_000, toMs: 16_000 });
  assert.equal(policy.alertness(), 'suspicious');
  show(policy, QUIET, { fromMs: 16_000, toMs: 19_000 });
  assert.equal(policy.alertness(), 'quiet');
  show(policy, MOTION, { fromMs: 20_000, toMs: 20_100 });
  show(policy, QUIET, { fromMs: 20_100, toMs: 23_100 });
  assert.equal(policy.alertness(), 'quiet', 'nothing was left');
});

test('what is only lit otherwise, or too small, is no suspicion; what is being learnt is', () => {
  const policy = quietPolicy();
  for (const [index, reason] of (['lighting', 'too-small'] as const).entries()) {
    policy.judged(suppressed(reason), 10_000 + index);
    assert.equal(policy.alertness(), 'quiet', reason);
  }
  for (const reason of ['learning', 'whole-scene', 'in-place', 'zone-dwell', 'outside-zones'] as const) {
    const other = quietPolicy();
    other.judged(suppressed(reason), 10_000);
    assert.equal(other.alertness(), 'suspicious', reason);
  }
});

test('key pictures that are too far apart are not waited for: everything is decoded until they come often again', () => {
  const policy = quietPolicy();
  show(policy, QUIET, { fromMs: 10_000, toMs: 12_000, keyMs: 10_000 });
  assert.equal(policy.decoding(12_000), 'keys');
  // The camera's next key picture does not come.
  const lateMs = 10_000 + MAX_KEY_DISTANCE_MS + 50;
  policy.came({ key: false, reordered: false, atMs: lateMs });
  assert.equal(policy.decoding(lateMs), 'all');
  show(policy, QUIET, { fromMs: 20_000, toMs: 23_000 });
  assert.equal(policy.decoding(23_000), 'all', 'two short distances may be chance');
  show(policy, QUIET, { fromMs: 23_000, toMs: 24_000 });
  assert.equal(policy.decoding(24_000), 'keys');
});

test('a camera with a key picture every ten seconds is always decoded whole', () => {
  const policy = createDecodingPolicy();
  for (let atMs = 0; atMs < 60_000; atMs += 100) {
    policy.came({ key: atMs % 10_000 === 0, reordered: false, atMs });
    policy.judged(QUIET, atMs);
    assert.equal(policy.decoding(atMs), 'all', `at ${atMs} ms`);
  }
});

test('a stream with B pictures is always decoded whole', () => {
  const policy = quietPolicy();
  policy.came({ key: false, reordered: true, atMs: 10_000 });
  show(policy, QUIET, { fromMs: 10_100, toMs: 60_000 });
  assert.equal(policy.decoding(60_000), 'all');
});

test('who asks for pictures gets all for three seconds, and no longer', () => {
  const policy = quietPolicy();
  policy.demanded(10_000);
  assert.equal(policy.decoding(12_900), 'all');
  assert.equal(policy.decoding(13_000), 'keys');
  assert.equal(policy.alertness(), 'quiet');
});

test('while it spares, only key pictures are decoded, however much moves and however far apart they are', () => {
  const policy = createDecodingPolicy();
  policy.spare(true);
  show(policy, MOTION, { fromMs: 0, toMs: 10_000, keyMs: 4_000 });
  assert.equal(policy.alertness(), 'event');
  assert.equal(policy.decoding(10_000), 'keys');
  policy.demanded(10_000);
  assert.equal(policy.decoding(10_100), 'all', 'somebody wants a picture');
  policy.spare(false);
  assert.equal(policy.decoding(20_000), 'all');
});
