import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../../../../agent/kernel/conditions.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { reportsRig } from './rig.ts';

const ledgerGone: Condition = {
  code: 'ledger-unavailable',
  level: 'trouble',
  subject: null,
  detail: 'the ledger cannot be opened: the disk is read-only',
  sinceMs: Date.UTC(2026, 5, 1, 12),
};

test('a condition is told within seconds, and its end too', async (t) => {
  const { house, reports, of, seconds } = reportsRig(t);
  await reports.start();
  await seconds(5);
  house.conditions = [ledgerGone];
  await seconds(5);
  house.conditions = [];
  await seconds(5);
  assert.deepEqual(
    of('condition.state').map(({ data }) => [data['code'], data['state'], data['detail']]),
    [
      ['ledger-unavailable', 'raised', ledgerGone.detail],
      ['ledger-unavailable', 'cleared', undefined],
    ],
  );
});

test('one that flaps takes its share of the hour, and the last state is told in the end', async (t) => {
  const { house, reports, of, seconds } = reportsRig(t);
  await reports.start();
  for (let turn = 0; turn < 100; turn++) {
    house.conditions = turn % 2 === 0 ? [ledgerGone] : [];
    await seconds(4);
  }
  assert.ok(of('condition.state').length <= 12, `${of('condition.state').length} events`);
  house.conditions = [ledgerGone];
  await seconds(3_700);
  assert.equal(of('condition.state').at(-1)?.data['state'], 'raised');
});

test('while the ledger does not answer the twin still says what is wrong, and storage is absent, not zero', async (t) => {
  const rig = reportsRig(t);
  const { house, reports, handed, seconds } = rig;
  rig.failWith = rig.silentWith = new Failure(
    'transient',
    'ledger.unavailable',
    'the ledger cannot be opened',
  );
  house.conditions = [ledgerGone];
  await reports.start();
  await seconds(10);
  const last = handed.at(-1)?.reported;
  assert.equal(last?.conditions?.[0]?.code, 'ledger-unavailable');
  assert.equal(last?.storage, undefined);
  assert.equal(last?.backlog, undefined);
  rig.failWith = rig.silentWith = undefined;
  house.conditions = [];
  await seconds(30);
  const after = handed.at(-1)?.reported;
  assert.deepEqual(after?.conditions, []);
  assert.equal(after?.storage?.clips, house.summary.clips);
});

test('movements that could not be recorded reach the hub as an event and the twin as a condition', async (t) => {
  const { reports, refusedRecordings, of, handed, seconds } = reportsRig(t);
  await reports.start();
  await seconds(5);
  refusedRecordings.refused('gate', 'no room for another clip');
  await seconds(5);
  assert.deepEqual(
    of('recording.refused').map(({ data }) => [data['cameraId'], data['count'], data['reason']]),
    [['gate', 1, 'no room for another clip']],
  );
  assert.equal(handed.at(-1)?.reported.conditions?.[0]?.subject, 'gate');
});
