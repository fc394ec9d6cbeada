import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createTroubleLight } from '../../../agent/trouble-light.ts';
import { createFakeClock } from '../../fakes/clock.ts';

function bench() {
  const clock = createFakeClock();
  const world = { level: (): 'calm' | 'notice' | 'trouble' => 'calm' };
  const told: boolean[] = [];
  const light = createTroubleLight({
    status: () => ({ level: world.level() }),
    power: { setTrouble: (trouble) => void (told.at(-1) === trouble || told.push(trouble)) },
    clock,
  });
  return { clock, world, told, light };
}

test('trouble shows within seconds, a notice never does, and it is over after a minute without', async () => {
  const { clock, world, told, light } = bench();
  await light.start();
  world.level = () => 'notice';
  await clock.advance(10_000);
  assert.deepEqual(told, [false]);
  world.level = () => 'trouble';
  await clock.advance(2_000);
  assert.deepEqual(told, [false, true]);
  world.level = () => 'calm';
  await clock.advance(50_000);
  assert.deepEqual(told, [false, true]);
  await clock.advance(12_000);
  assert.deepEqual(told, [false, true, false]);
  await light.stop();
});

test('a camera that is tried again and again keeps it blinking, without a flicker', async () => {
  const { clock, world, told, light } = bench();
  await light.start();
  for (let n = 0; n < 10; n += 1) {
    world.level = () => 'trouble';
    await clock.advance(30_000);
    world.level = () => 'notice';
    await clock.advance(35_000);
  }
  assert.deepEqual(told, [false, true]);
  await light.stop();
});

test('an appliance that cannot be judged is in trouble', async () => {
  const { clock, world, told, light } = bench();
  await light.start();
  world.level = () => {
    throw new Failure('transient', 'ledger.busy', 'the ledger does not answer');
  };
  await clock.advance(2_000);
  assert.deepEqual(told, [false, true]);
  await light.stop();
});
