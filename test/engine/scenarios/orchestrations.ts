import type { Scenarios } from '../scenario.ts';
import { ended, whole, summary, endedInAnyOrder } from './instances.ts';

const DAY_MS = 86_400_000;

export const orchestrations: Scenarios = {
  'one activity': async (stage) => {
    const id = stage.id();
    await stage.call('start', 'POST', `orchestrators/hello/${id}`, { body: { greet: 'house' } });
    await stage.end(id);
    await stage.triggers(id);
  },
  'a chain of activities': whole('chain'),
  'an orchestration without a result': ended('no-result'),
  'an orchestration without an input': ended('echo-input'),
  'an input that is a text': ended('echo-input', 'only text'),
  'an input that is null': ended('echo-input', null),
  'an input with dates, numbers and letters of all kinds': ended('echo-input', {
    date: '2026-01-02T03:04:05.678Z',
    local: '2026-01-02T03:04:05+02:00',
    numbers: [0, -1, 1.5, 1e21, 12345678901234567000, 0.1],
    letters: 'їжак \u0000 \ud83d\ude00 <>&\'"\\/',
    '': [],
    nested: { deep: { deeper: [[{}]] } },
  }),
  'activities with inputs of every kind': ended('values'),
  'activities with results of every kind': ended('results'),
  'what an activity sees around it': ended('activity-context'),
  'new ids and replay are the orchestrator’s own': ended('guids'),
  'three activities at once': endedInAnyOrder('fan-out'),
  'the quicker of two activities': endedInAnyOrder('race-activities'),
  'a timer': whole('timer', 2000),
  'a timer whose time has passed': ended('timer-in-the-past'),
  'a timer of twenty days begins with a part of three': async (stage) => {
    const id = stage.id();
    await stage.start('timer', id, 20 * DAY_MS);
    await stage.has(id, 'Running');
    const timer = await stage.until('the timer is in the history', async () =>
      (await stage.instance(id, '?showHistory=true'))?.historyEvents?.find(
        (event) => event['EventType'] === 'TimerCreated',
      ),
    );
    const days = (Date.parse(String(timer['FireAt'])) - Date.parse(String(timer['Timestamp']))) / DAY_MS;
    stage.note('the first timer', { days: Math.round(days * 100) / 100, fields: Object.keys(timer) });
    await stage.manage('POST', `instances/${id}/terminate?reason=done`);
    await stage.finished(id);
  },
  'a timer of six days is one': async (stage) => {
    const id = stage.id();
    await stage.start('timer', id, 6 * DAY_MS);
    const timer = await stage.until('the timer is in the history', async () =>
      (await stage.instance(id, '?showHistory=true'))?.historyEvents?.find(
        (event) => event['EventType'] === 'TimerCreated',
      ),
    );
    const days = (Date.parse(String(timer['FireAt'])) - Date.parse(String(timer['Timestamp']))) / DAY_MS;
    stage.note('the timer', { days: Math.round(days * 100) / 100 });
    await stage.manage('POST', `instances/${id}/terminate?reason=done`);
    await stage.finished(id);
  },
  'a child with an id': async (stage) => {
    const id = stage.id();
    await stage.start('parent', id);
    await stage.end(id);
    await stage.end(`${id}-child`, 'child');
    await stage.triggers(`${id}-child`);
    await stage.triggers(id);
  },
  'a child without an id': ended('parent-of-nameless'),
  'three children at once': async (stage) => {
    const id = stage.id();
    await stage.start('parents', id);
    await summary(stage, id);
    await stage.end(`${id}-2`, 'the second child');
  },
  'continues as new': async (stage) => {
    const id = stage.id();
    await stage.start('again', id, { round: 1, rounds: 3 });
    await stage.until('the last round is over', async () => (await stage.instance(id))?.output);
    await stage.end(id);
    await stage.triggers(id);
  },
  'a custom status is set and taken back': async (stage) => {
    const id = stage.id();
    await stage.start('custom-status', id, 'first');
    await stage.says(id, { step: 'first' });
    await stage.call('with a status', 'GET', `instances/${id}`);
    await stage.raise(id, 'go');
    await stage.says(id, null);
    await stage.raise(id, 'go');
    await stage.end(id);
  },
  'a result of a hundred thousand letters': ended('large', 100_000),
  'an input of a hundred thousand letters goes everywhere': async (stage) => {
    const id = stage.id();
    await stage.start('large-everywhere', id, 'ї'.repeat(50_000));
    const { output, runtimeStatus } = await stage.finished(id);
    stage.note('end', { runtimeStatus, same: (output as { same: boolean }).same });
  },
  'a version': async (stage) => {
    const id = stage.id();
    await stage.start('versioned', id, null, '?version=1.0');
    await stage.stays(id);
  },
  'no version': ended('versioned'),
  'a task in two races runs twice': async (stage) => {
    const id = stage.id();
    await stage.start('yields-a-task-twice', id);
    await stage.says(id, 'waiting');
    await stage.raise(id, 'a');
    await stage.raise(id, 'b');
    await summary(stage, id);
  },
};
