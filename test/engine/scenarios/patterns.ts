import type { Scenarios } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { ended, endedInAnyOrder } from './instances.ts';

/** Answers a challenge, each time when it is asked. */
const challenge = (answers: readonly string[], ms: number) => async (stage: Stage) => {
  const id = stage.id();
  await stage.start('challenge', id, { code: '4711', ms });
  for (const [at, answer] of answers.entries()) {
    await stage.says(id, `try ${at + 1}`);
    await stage.raise(id, 'answer', answer);
  }
  await stage.end(id);
};
const LONG_MS = 600_000;

export const patterns: Scenarios = {
  'pattern: each step works on what the one before gave': ended('pipeline', 'start'),
  'pattern: what there is to do is found out first': endedInAnyOrder('backup', 12),
  'pattern: there is nothing to do': endedInAnyOrder('backup', 0),
  'pattern: a monitor finds it clear at once': ended('monitor', (id: string) => ({
    key: id,
    after: 0,
    most: 3,
  })),
  'pattern: a monitor finds it clear at its third look': ended('monitor', (id: string) => ({
    key: id,
    after: 2,
    most: 5,
  })),
  'pattern: a monitor expires': ended('monitor', (id: string) => ({ key: id, after: 9, most: 2 })),
  'pattern: a monitor that begins anew each time': ended('monitor-for-ever', (id: string) => ({
    key: id,
    after: 2,
    look: 1,
  })),
  'pattern: a challenge is answered': challenge(['4711'], LONG_MS),
  'pattern: a challenge is answered at the third try': challenge(['1', '2', '4711'], LONG_MS),
  'pattern: a challenge is answered wrongly three times': challenge(['1', '2', '3'], LONG_MS),
  'pattern: a challenge is answered once, and then too late': challenge(['1'], 12_000),
  'pattern: something is approved': async (stage) => {
    const id = stage.id();
    await stage.start('approval', id, LONG_MS);
    await stage.says(id, 'asked');
    await stage.raise(id, 'approved', { by: 'the owner' });
    await stage.end(id);
  },
  'pattern: nobody approves': ended('approval', () => 2_000),
  'pattern: a child for each device, with a try that fails': endedInAnyOrder('site', [
    'yard',
    'gate',
    'shed',
  ]),
};
