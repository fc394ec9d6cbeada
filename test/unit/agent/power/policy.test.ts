import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWithDefaults, PowerConfig } from '@dachawatch/contracts';
import { createPolicy, type PolicyInput } from '../../../../agent/power/policy.ts';

const THRESHOLDS = {
  lowVolts: 10.5,
  criticalVolts: 9.5,
  hysteresisVolts: 0.2,
  criticalForMs: 30_000,
};

interface Moment {
  readonly volts?: number;
  readonly forMs?: number;
  /** What is known of mains; by default the battery is in use. */
  readonly mains?: boolean | null;
  readonly draining?: boolean;
  readonly wire?: boolean | null;
}

/** A policy that is given moment after moment. Without volts the sensor is of no use. */
function bench(more: object = {}) {
  const { thresholds } = parseWithDefaults(PowerConfig, { thresholds: { ...THRESHOLDS, ...more } });
  const policy = createPolicy(thresholds);
  const asked: boolean[] = [];
  const give = ({ volts, forMs = 1_000, mains = false, draining = true, wire = null }: Moment) =>
    policy.update({
      filtered: volts === undefined ? null : ({ volts, forMs } as PolicyInput['filtered']),
      supply: {
        onMains: (isLow) => {
          asked.push(isLow);
          return mains;
        },
        isDraining: () => draining,
        wireSays: () => wire,
      },
      momentMs: forMs,
    });
  const many = (count: number, moment: Moment) => {
    for (let given = 1; given < count; given += 1) give(moment);
    return give(moment);
  };
  return { policy, give, many, asked };
}

test('a battery is low after ten seconds below the threshold, and well again ten seconds above it and more', () => {
  const { give, many } = bench();
  assert.equal(many(9, { volts: 10.4 }).state, 'on-battery');
  assert.equal(give({ volts: 10.4 }).state, 'low');
  assert.equal(many(60, { volts: 10.7 }).state, 'low', 'within the hysteresis nothing changes');
  assert.equal(many(9, { volts: 10.71 }).state, 'low');
  assert.equal(give({ volts: 10.71 }).state, 'on-battery');
});

test('exactly at a threshold a battery is not below it', () => {
  const { many } = bench();
  assert.equal(many(60, { volts: 10.5 }).state, 'on-battery');
  const { state, switchOff } = many(120, { volts: 9.5 });
  assert.deepEqual([state, switchOff], ['low', null]);
});

test('it is critical after three seconds, and low again after ten above', () => {
  const { give, many } = bench();
  many(10, { volts: 10 });
  assert.equal(many(2, { volts: 9.4 }).state, 'low');
  assert.equal(give({ volts: 9.4 }).state, 'critical');
  assert.equal(many(9, { volts: 9.8 }).state, 'critical');
  assert.equal(give({ volts: 9.8 }).state, 'low');
});

test('it switches off after the configured time below the critical threshold, no sooner', () => {
  const { give, many } = bench();
  assert.equal(many(29, { volts: 9.4 }).switchOff, null);
  const { switchOff, hurry } = give({ volts: 9.4 });
  assert.deepEqual([switchOff, hurry], ['the battery is empty', false]);
  assert.equal(
    give({ volts: 9.71, forMs: 1 }).switchOff,
    null,
    'the first moment above is enough to think again',
  );
});

test('fewer than five readings decide nothing, however long they stand for', () => {
  const { give, many } = bench();
  assert.equal(many(4, { volts: 9.4, forMs: 20_000 }).switchOff, null);
  assert.equal(give({ volts: 9.4, forMs: 20_000 }).switchOff, 'the battery is empty');
  const deep = bench();
  assert.equal(deep.many(4, { volts: 9, forMs: 3_000 }).hurry, false);
  assert.equal(deep.give({ volts: 9, forMs: 3_000 }).hurry, true);
});

test('far below critical there are five seconds, and no time to wait for mains', () => {
  const { give, many } = bench();
  assert.deepEqual(many(4, { volts: 9.29 }), { state: 'critical', switchOff: null, hurry: false });
  assert.deepEqual(give({ volts: 9.29 }), {
    state: 'critical',
    switchOff: 'the battery is empty',
    hurry: true,
  });
  const edge = bench();
  assert.equal(edge.many(20, { volts: 9.31 }).hurry, false);
});

test('a hurry is over ten seconds after the voltage is back', () => {
  const { give, many } = bench();
  many(5, { volts: 9.2 });
  assert.equal(many(9, { volts: 9.6 }).hurry, true);
  assert.equal(give({ volts: 9.6 }).hurry, false);
});

test('readings above take away from what was counted', () => {
  const { give, many } = bench();
  many(29, { volts: 9.4 });
  many(10, { volts: 9.8 });
  assert.equal(many(10, { volts: 9.4 }).switchOff, null);
  assert.equal(give({ volts: 9.4 }).switchOff, 'the battery is empty');
});

test('a battery that is not being emptied switches nothing off, and what was counted goes down', () => {
  const { give, many } = bench();
  assert.equal(many(600, { volts: 9, draining: false }).switchOff, null);
  const other = bench();
  other.many(29, { volts: 9.4 });
  other.many(5, { volts: 9.4, draining: false });
  assert.equal(other.many(5, { volts: 9.4 }).switchOff, null);
  assert.equal(other.give({ volts: 9.4 }).switchOff, 'the battery is empty');
  assert.equal(give({ volts: 9, draining: false }).hurry, false);
});

test('mains clears what was counted for a shutdown: the next outage begins anew', () => {
  const { give, many } = bench();
  many(29, { volts: 9.4 });
  assert.deepEqual(give({ volts: 9.4, mains: true }), { state: 'on-mains', switchOff: null, hurry: false });
  assert.equal(many(29, { volts: 9.4 }).switchOff, null);
  assert.equal(give({ volts: 9.4 }).switchOff, 'the battery is empty');
  const deep = bench();
  deep.many(4, { volts: 9 });
  deep.give({ volts: 9, mains: true });
  assert.equal(deep.many(2, { volts: 9 }).state, 'on-battery', 'nor is it critical at once');
  assert.equal(deep.many(2, { volts: 9 }).hurry, false);
  assert.equal(deep.give({ volts: 9 }).hurry, true);
});

test('low is counted on mains too, and told to whoever judges mains', () => {
  const { give, many, asked } = bench();
  many(10, { volts: 10.4, mains: true });
  assert.deepEqual([asked[0], asked[8], asked[9]], [false, false, true]);
  assert.equal(give({ volts: 10.4 }).state, 'low');
});

test('a sensor that is of no use decides nothing, and clears what was counted', () => {
  const { give, many } = bench();
  many(29, { volts: 9.4 });
  assert.deepEqual(give({}), { state: 'on-battery', switchOff: null, hurry: false });
  const { state, switchOff } = many(2, { volts: 9.4 });
  assert.deepEqual([state, switchOff], ['on-battery', null]);
  assert.equal(many(27, { volts: 9.4 }).switchOff, null);
  assert.equal(give({ volts: 9.4 }).switchOff, 'the battery is empty');
});

test('without a sensor the state is what is known of mains', () => {
  const { give, many, asked } = bench();
  many(10, { volts: 10.4 });
  assert.equal(give({ mains: null }).state, 'unknown');
  assert.equal(asked.at(-1), false);
  assert.equal(give({ mains: true }).state, 'on-mains');
  assert.equal(give({ mains: false }).state, 'on-battery');
});

test('without a sensor only a wire that has missed mains for the configured time switches off', () => {
  const away = { wire: false, mains: false };
  const never = bench();
  assert.equal(never.many(10_000, away).switchOff, null);
  const { give, many } = bench({ blindForMs: 600_000 });
  assert.equal(many(599, away).switchOff, null);
  const { switchOff, hurry } = give(away);
  assert.match(switchOff ?? '', /^there has been no mains for long/);
  assert.equal(hurry, false);
  assert.equal(give({ wire: null, mains: null }).switchOff, null);
  assert.equal(many(599, away).switchOff, null);
  assert.equal(give({ wire: true, mains: true }).switchOff, null);
  assert.equal(many(599, away).switchOff, null, 'mains was there in between');
  assert.equal(give({ volts: 11 }).switchOff, null);
  assert.equal(many(599, away).switchOff, null, 'the battery was measured in between');
  assert.match(give(away).switchOff ?? '', /no mains for long/);
});

test('after a shutdown that came to nothing everything is counted anew', () => {
  const { policy, give, many } = bench({ blindForMs: 600_000 });
  many(30, { volts: 9.4 });
  policy.clear();
  assert.equal(many(29, { volts: 9.4 }).switchOff, null);
  assert.equal(give({ volts: 9.4 }).switchOff, 'the battery is empty');
  const away = { wire: false, mains: false };
  many(600, away);
  policy.clear();
  assert.equal(many(599, away).switchOff, null);
  assert.match(give(away).switchOff ?? '', /no mains/);
});
