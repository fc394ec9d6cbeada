import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRefusedRecordings } from '../../../../agent/health/health.ts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createFakeClock } from '../../../fakes/clock.ts';

function rig() {
  const clock = createFakeClock();
  const conditions = createConditions({ clock, log: createLog('silent') });
  const recordings = createRefusedRecordings({ conditions, clock });
  const told: { cameraId: string; count: number; reason: string }[] = [];
  return {
    recordings,
    told,
    pass: (ms: number) => clock.advance(ms),
    standing: () => conditions.list().map(({ subject, detail }) => `${subject}: ${detail}`),
    report: (taken = true) =>
      recordings.report((data) => {
        if (taken) told.push(data);
        return taken;
      }),
    look: (unrecordedMs: number | null) => recordings.look([{ cameraId: 'gate', unrecordedMs }]),
  };
}

test('a refused trigger is a condition of its camera at once, counted, until that camera records again', () => {
  const { recordings, standing } = rig();
  recordings.refused('gate', 'the disk is full');
  assert.deepEqual(standing(), ['gate: 1 movement was not recorded: the disk is full']);
  recordings.refused('gate', 'no room');
  recordings.opened('pond');
  assert.deepEqual(standing(), ['gate: 2 movements were not recorded: no room']);
  recordings.opened('gate');
  assert.deepEqual(standing(), []);
});

test('a camera that sees something move and records nothing is said within seconds, whoever is to blame', async () => {
  const { standing, look, pass } = rig();
  look(3_000);
  assert.deepEqual(standing(), []);
  await pass(3_000);
  look(6_000);
  assert.equal(standing().length, 1);
  assert.match(standing()[0] ?? '', /^gate: 1 movement was not recorded: something moves/);
  await pass(1_000);
  look(7_000);
  assert.match(standing()[0] ?? '', /^gate: 1 movement/, 'the same movement was counted twice');
});

test('what the refusals explain is not said a second time', async () => {
  const { recordings, standing, look, pass } = rig();
  recordings.refused('gate', 'the disk is full');
  await pass(6_000);
  look(6_000);
  assert.deepEqual(standing(), ['gate: 1 movement was not recorded: the disk is full']);
});

test('a refusal that never came again is over after an hour', async () => {
  const { recordings, standing, look, pass } = rig();
  recordings.refused('gate', 'the disk is full');
  await pass(59 * 60_000);
  look(null);
  assert.equal(standing().length, 1);
  await pass(2 * 60_000);
  look(null);
  assert.deepEqual(standing(), []);
});

test('every refusal is told in the end, at most once in ten minutes, also when it could not be told at first', async () => {
  const { recordings, told, report, pass } = rig();
  recordings.refused('gate', 'the disk is full');
  report(false);
  recordings.refused('gate', 'the disk is full');
  report();
  recordings.refused('gate', 'no room');
  recordings.opened('gate');
  report();
  assert.deepEqual(
    told.map(({ count }) => count),
    [2],
  );
  await pass(10 * 60_000);
  report();
  report();
  assert.deepEqual(
    told.map(({ count, reason }) => [count, reason]),
    [
      [2, 'the disk is full'],
      [1, 'no room'],
    ],
  );
});

test('a camera that was taken away leaves no condition behind', () => {
  const { recordings, standing } = rig();
  recordings.refused('gate', 'the disk is full');
  recordings.look([]);
  assert.deepEqual(standing(), []);
});
