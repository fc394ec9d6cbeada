import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShutdown, type ShutdownActions } from '../../../../agent/power/shutdown.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLogBook } from '../../../fakes/log-book.ts';

type Deed = keyof ShutdownActions | 'refused';

/** A shutdown whose actions the test chooses; everything it did stands in `deeds`, with the second it did it. */
function bench(actions: Partial<ShutdownActions> = {}, returnMs = 20_000) {
  const clock = createFakeClock();
  const beganMs = clock.monotonicMs();
  const { log, lines } = createLogBook();
  const deeds: string[] = [];
  const phases: (string | null)[] = [];
  const did = (deed: Deed) => deeds.push(`${deed} ${(clock.monotonicMs() - beganMs) / 1_000}`);
  const shutdown = createShutdown({
    actions: {
      seal: async (signal) => {
        did('seal');
        await (actions.seal?.(signal) ?? clock.sleep(2_000, signal));
      },
      tell: async (signal) => {
        did('tell');
        await (actions.tell?.(signal) ?? clock.sleep(3_000, signal));
      },
      powerOff: () => {
        did('powerOff');
        actions.powerOff?.();
      },
      resume: () => {
        did('resume');
        actions.resume?.();
      },
    },
    returnMs,
    onPhase: () => phases.push(shutdown.phase()),
    onRefused: () => did('refused'),
    clock,
    log,
  });
  return { clock, deeds, phases, lines, shutdown };
}

const forEver = () => new Promise<void>(() => undefined);

test('sealed, told, waited for mains since the decision, asked: in this order and once', async () => {
  const { clock, deeds, phases, shutdown } = bench();
  shutdown.begin('battery', 'the battery is empty');
  shutdown.begin('battery', 'the battery is empty');
  assert.equal(shutdown.why(), 'the battery is empty');
  await clock.advance(100_000);
  assert.deepEqual(deeds, ['seal 0', 'tell 2', 'powerOff 20']);
  assert.deepEqual(phases, ['sealing', 'telling', 'waiting', 'requested']);
});

test('actions that never end are given up after their time, and the machine is switched off all the same', async () => {
  const { clock, deeds, lines, shutdown } = bench({ seal: forEver, tell: forEver });
  shutdown.begin('battery', 'empty');
  await clock.advance(30_000);
  assert.deepEqual(deeds, ['seal 0', 'tell 10', 'powerOff 25']);
  assert.equal(lines.filter(({ fields }) => fields['event'] === 'shutdown.action-failed').length, 2);
});

test('actions that fail, at once or later, keep nothing from happening', async () => {
  const { clock, deeds, shutdown } = bench({
    seal: () => {
      throw new Error('no disk');
    },
    tell: () => Promise.reject(new Error('no link')),
  });
  shutdown.begin('battery', 'empty');
  await clock.advance(30_000);
  assert.deepEqual(deeds, ['seal 0', 'tell 0', 'powerOff 20']);
});

for (const [phase, atMs, expected] of [
  ['sealing', 1_000, ['seal 0', 'resume 1']],
  ['telling', 4_000, ['seal 0', 'tell 2', 'resume 4']],
  ['waiting', 19_999, ['seal 0', 'tell 2', 'resume 19.999']],
] as const) {
  test(`mains that returns while ${phase} takes it back, and a later end goes through all of it again`, async () => {
    const { clock, deeds, shutdown } = bench();
    shutdown.begin('battery', 'empty');
    await clock.advance(atMs);
    assert.equal(shutdown.phase(), phase);
    shutdown.mainsBack();
    await clock.advance(60_000 - atMs);
    assert.equal(shutdown.phase(), null);
    assert.deepEqual(deeds, expected);
    shutdown.begin('battery', 'empty');
    await clock.advance(30_000);
    assert.deepEqual(deeds.slice(expected.length), ['seal 60', 'tell 62', 'powerOff 80']);
  });
}

test('a seal that does not listen is waited for before recording is resumed', async () => {
  const { clock, deeds, shutdown } = bench({ seal: forEver });
  shutdown.begin('battery', 'empty');
  await clock.advance(1_000);
  shutdown.mainsBack();
  await clock.advance(20_000);
  assert.deepEqual(deeds, ['seal 0', 'resume 10']);
});

test('after the request nothing is taken back', async () => {
  const { clock, deeds, shutdown } = bench();
  shutdown.begin('battery', 'empty');
  await clock.advance(21_000);
  shutdown.mainsBack();
  await clock.advance(60_000);
  assert.deepEqual(deeds, ['seal 0', 'tell 2', 'powerOff 20']);
});

test('without time to wait for mains it asks at once', async () => {
  const { clock, deeds, shutdown } = bench();
  shutdown.begin('battery', 'empty');
  await clock.advance(7_000);
  shutdown.hurry();
  await clock.advance(1_000);
  assert.deepEqual(deeds, ['seal 0', 'tell 2', 'powerOff 7']);
});

test('a button neither waits nor listens to mains, also when the battery began', async () => {
  const alone = bench();
  alone.shutdown.begin('button', 'held');
  alone.shutdown.mainsBack();
  await alone.clock.advance(30_000);
  assert.deepEqual(alone.deeds, ['seal 0', 'tell 2', 'powerOff 5']);

  const late = bench();
  late.shutdown.begin('battery', 'empty');
  await late.clock.advance(10_000);
  late.shutdown.begin('button', 'held');
  late.shutdown.mainsBack();
  await late.clock.advance(1_000);
  assert.equal(late.shutdown.why(), 'held');
  assert.deepEqual(late.deeds, ['seal 0', 'tell 2', 'powerOff 10']);
});

test('a button held while a shutdown is being taken back is obeyed after it', async () => {
  const { clock, deeds, shutdown } = bench({ seal: forEver });
  shutdown.begin('battery', 'empty');
  await clock.advance(1_000);
  shutdown.mainsBack();
  shutdown.begin('button', 'held');
  await clock.advance(40_000);
  assert.deepEqual(deeds, ['seal 0', 'resume 10', 'seal 10', 'tell 20', 'powerOff 23']);
});

test('a machine that stays up is asked three times, then guards on, and may be switched off again', async () => {
  const { clock, deeds, shutdown, lines } = bench({
    powerOff: () => {
      throw new Error('not allowed');
    },
  });
  shutdown.begin('battery', 'empty');
  await clock.advance(700_000);
  assert.deepEqual(deeds, [
    'seal 0',
    'tell 2',
    'powerOff 20',
    'powerOff 140',
    'powerOff 380',
    'refused 620',
    'resume 620',
  ]);
  assert.equal(shutdown.phase(), null);
  assert.equal(lines.filter(({ fields }) => fields['event'] === 'shutdown.not-obeyed').length, 3);
});

test('stopped in the middle it ends, and asks for nothing any more', async () => {
  const { clock, deeds, shutdown } = bench({ seal: forEver });
  shutdown.begin('battery', 'empty');
  await clock.advance(1_000);
  await shutdown.stop();
  shutdown.begin('button', 'held');
  await clock.advance(600_000);
  assert.deepEqual(deeds, ['seal 0']);
  assert.equal(clock.sleepers(), 0);
});

test('an action that takes too long is told by its signal', async () => {
  const signals: AbortSignal[] = [];
  const { clock, shutdown } = bench({
    seal: (signal) => {
      signals.push(signal);
      return forEver();
    },
    tell: (signal) => {
      signals.push(signal);
      return forEver();
    },
  });
  shutdown.begin('battery', 'empty');
  await clock.advance(9_999);
  assert.equal(signals[0]?.aborted, false);
  await clock.advance(1);
  assert.equal(signals[0]?.aborted, true);
  await clock.advance(14_999);
  assert.equal(signals[1]?.aborted, false);
  await clock.advance(1);
  assert.equal(signals[1]?.aborted, true);
  await shutdown.stop();
});

test('mains that returns is told to the action that runs, and its failing then is no failure', async () => {
  const signals: AbortSignal[] = [];
  const { clock, lines, shutdown } = bench({
    seal: (signal) => {
      signals.push(signal);
      return clock.sleep(5_000, signal);
    },
  });
  shutdown.begin('battery', 'empty');
  await clock.advance(1_000);
  shutdown.mainsBack();
  await clock.advance(1_000);
  assert.equal(signals[0]?.aborted, true);
  assert.deepEqual(
    lines.filter(({ level }) => level === 'error'),
    [],
  );
});

test('the journal tells the whole story of a shutdown, and what failed in it', async () => {
  const broken = () => {
    throw new Error('no');
  };
  const { clock, lines, shutdown } = bench({ seal: broken, powerOff: broken, resume: broken });
  shutdown.begin('battery', 'empty');
  await clock.advance(700_000);
  assert.deepEqual(
    lines.map(({ fields }) => {
      const { event, phase, action, why, asked } = fields;
      return [event, phase ?? action ?? asked, why].filter((word) => word !== undefined);
    }),
    [
      ['shutdown.decided', 'empty'],
      ['shutdown.phase', 'sealing'],
      ['shutdown.action-failed', 'seal', 'no'],
      ['shutdown.phase', 'telling'],
      ['shutdown.phase', 'waiting'],
      ['shutdown.phase', 'requested'],
      ['shutdown.request-failed'],
      ['shutdown.not-obeyed', 1],
      ['shutdown.request-failed'],
      ['shutdown.not-obeyed', 2],
      ['shutdown.request-failed'],
      ['shutdown.not-obeyed', 3],
      ['shutdown.phase', 'idle'],
      ['shutdown.resume-failed'],
    ],
  );
});

test('that mains came back in time stands in the journal', async () => {
  const { clock, lines, shutdown } = bench();
  shutdown.begin('battery', 'empty');
  await clock.advance(10_000);
  shutdown.mainsBack();
  await clock.advance(1_000);
  assert.ok(lines.some(({ fields }) => fields['event'] === 'shutdown.taken-back'));
  assert.equal(shutdown.why(), null);
});
