import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createKnownSets, ifReadable } from '../../../../../agent/capture/packing/known-sets.ts';
import { H264 } from '../../../../../agent/capture/packing/h264.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { small } from '../h264-stream.ts';

let sps: Buffer;
let pps: Buffer;
before(async () => {
  const units = (await small()).flatMap(({ units }) => units);
  sps = units.find((unit) => H264.kindOf(unit) === 'sps') ?? assert.fail('no SPS');
  pps = units.find((unit) => H264.kindOf(unit) === 'pps') ?? assert.fail('no PPS');
});

test('what a picture needs is known when both its sets have come, in any order', () => {
  const known = createKnownSets(H264);
  known.learn(pps);
  assert.equal(known.setsFor(0), undefined);
  known.learn(sps);
  const sets = known.setsFor(0);
  assert.ok(sets?.spsUnit.equals(sps));
  assert.deepEqual(sets?.ppsUnits.length, 1);
  assert.equal(known.setsFor(1), undefined);
});

test('a set that cannot be read does not take the place of one that could', () => {
  const known = createKnownSets(H264);
  known.learn(sps);
  known.learn(pps);
  known.learn(sps.subarray(0, 2));
  known.learn(pps.subarray(0, 1));
  assert.ok(known.setsFor(0)?.spsUnit.equals(sps));
});

test('only what is corrupt counts as not sent', () => {
  const fails = (error: Error) => () => {
    throw error;
  };
  assert.equal(ifReadable(fails(new Failure('corrupt', 'test', 'cut off'))), undefined);
  assert.throws(() => ifReadable(fails(new Failure('bug', 'test', 'broken'))), { kind: 'bug' });
  assert.throws(() => ifReadable(fails(new TypeError('broken'))), TypeError);
});
