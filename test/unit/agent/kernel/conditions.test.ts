import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONDITIONS_MAX } from '@dachawatch/contracts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../agent/kernel/log.ts';

function rig() {
  const lines: { event: string; level: number; msg: string }[] = [];
  let nowMs = 1_000;
  const log = createLog('info', (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
  const conditions = createConditions({ clock: { nowMs: () => nowMs }, log });
  return { conditions, lines, pass: (ms: number) => (nowMs += ms) };
}

test('a condition stands from its first raise until it is cleared, and its sentence is the last one', () => {
  const { conditions, lines, pass } = rig();
  conditions.raise('recording-refused', '1 movement was not recorded', 'gate');
  pass(5_000);
  conditions.raise('recording-refused', '2 movements were not recorded', 'gate');
  assert.deepEqual(conditions.list(), [
    {
      code: 'recording-refused',
      level: 'trouble',
      subject: 'gate',
      detail: '2 movements were not recorded',
      sinceMs: 1_000,
    },
  ]);
  conditions.clear('recording-refused');
  assert.equal(conditions.list().length, 1, 'another subject was cleared');
  conditions.clear('recording-refused', 'gate');
  conditions.clear('recording-refused', 'gate');
  assert.deepEqual(conditions.list(), []);
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['condition.raised', 'condition.cleared'],
  );
});

test('troubles come before notices', () => {
  const { conditions, pass } = rig();
  conditions.raise('clips-parked', 'one clip is parked');
  pass(1);
  conditions.raise('disk-unwritable', 'the disk is read-only');
  assert.deepEqual(
    conditions.list().map(({ code }) => code),
    ['disk-unwritable', 'clips-parked'],
  );
});

test('conditions have a bound, and a trouble takes the place of a notice', () => {
  const { conditions } = rig();
  for (let n = 0; n < CONDITIONS_MAX + 10; n++) conditions.raise('clip-unremovable', 'it stays', `n${n}`);
  assert.equal(conditions.list().length, CONDITIONS_MAX);
  conditions.raise('ledger-unavailable', 'it cannot be opened');
  assert.equal(conditions.list().length, CONDITIONS_MAX);
  assert.equal(conditions.list()[0]?.code, 'ledger-unavailable');
});

test('no secret stands in a condition, and no sentence is without end', () => {
  const { conditions } = rig();
  conditions.raise('room-failed', `rtsp://viewer:SECRET@10.0.0.1/main ${'x'.repeat(5_000)}`, 'hub');
  const detail = conditions.list()[0]?.detail ?? '';
  assert.doesNotMatch(detail, /SECRET/);
  assert.ok(detail.length <= 1_000);
});
