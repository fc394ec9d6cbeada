import type { Scenarios } from '../scenario.ts';
import { whole } from './instances.ts';

export const events: Scenarios = {
  'an event': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.call('raise', 'POST', `instances/${id}/raiseEvent/go`, { body: { a: [1, null] } });
    await stage.end(id);
    await stage.triggers(id);
  },
  'an event that is a text': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.raise(id, 'go', 'text');
    await stage.end(id);
  },
  'an event that is null': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.raise(id, 'go', null);
    await stage.end(id);
  },
  'an event of a hundred thousand letters': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.raise(id, 'go', { text: 'ї'.repeat(50_000) });
    const { output, runtimeStatus } = await stage.finished(id);
    stage.note('end', { runtimeStatus, length: (output as { data: { text: string } }).data.text.length });
  },
  'an event before anybody waits': async (stage) => {
    const id = stage.id();
    await stage.start('wait-late', id, 2000);
    await stage.has(id, 'Running');
    await stage.raise(id, 'go', 'early');
    await stage.end(id);
  },
  'an event nobody waits for, then the right one': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.raise(id, 'other', 1);
    await stage.raise(id, 'go', 2);
    await stage.end(id);
  },
  'event names ignore case or do not': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.raise(id, 'GO', 1);
    await stage.stays(id);
    await stage.manage('POST', `instances/${id}/terminate?reason=done`);
    await stage.finished(id);
  },
  'two events in a row': async (stage) => {
    const id = stage.id();
    await stage.start('wait-twice', id);
    await stage.has(id, 'Running');
    await stage.raise(id, 'go', 1);
    await stage.until('the first is taken', async () =>
      (await stage.instance(id, '?showHistory=true'))?.historyEvents?.some(
        (one) => one['EventType'] === 'EventRaised',
      ),
    );
    await stage.raise(id, 'go', 2);
    await stage.end(id);
  },
  'of two waiters the last comes first': async (stage) => {
    const id = stage.id();
    await stage.start('two-waiters', id);
    await stage.says(id, 'waiting');
    await stage.raise(id, 'go', 'first');
    await stage.until('the first is taken', async () =>
      (await stage.instance(id, '?showHistory=true'))?.historyEvents?.some(
        (one) => one['EventType'] === 'EventRaised',
      ),
    );
    await stage.raise(id, 'go', 'second');
    await stage.end(id);
  },
  'an event wins its race': async (stage) => {
    const id = stage.id();
    await stage.start('race', id, { ms: 60_000, cancel: true });
    await stage.says(id, 'racing');
    await stage.raise(id, 'go', { in: 'time' });
    await stage.end(id);
    await stage.triggers(id);
  },
  'a timer wins its race': whole('race', { ms: 2000, cancel: true }),
  'a late answer is gone': async (stage) => {
    const id = stage.id();
    await stage.start('race', id, { ms: 2000, cancel: true });
    await stage.finished(id);
    await stage.call('late', 'POST', `instances/${id}/raiseEvent/go`, { body: 'late' });
    await stage.end(id);
  },
  'a losing timer that is not cancelled keeps its instance': async (stage) => {
    const id = stage.id();
    await stage.start('race', id, { ms: 8000, cancel: false });
    await stage.says(id, 'racing');
    await stage.raise(id, 'go', 1);
    await stage.until('the event is taken', async () =>
      (await stage.instance(id, '?showHistory=true'))?.historyEvents?.some(
        (one) => one['EventType'] === 'EventRaised',
      ),
    );
    stage.note('meanwhile', (await stage.instance(id))?.runtimeStatus);
    await stage.end(id);
  },
  'an event for the next execution': async (stage) => {
    const id = stage.id();
    await stage.start('again-with-event', id, 0);
    await stage.says(id, 'first');
    await stage.raise(id, 'late', 'dropped');
    await stage.raise(id, 'go');
    await stage.until(
      'the second execution runs',
      async () => (await stage.instance(id, '?showInput=true')) && true,
    );
    await stage.stays(id, 'Running');
    await stage.raise(id, 'late', 'kept');
    await stage.end(id);
  },
  'events are kept while an instance is suspended': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.manage('POST', `instances/${id}/suspend?reason=pause`);
    await stage.has(id, 'Suspended');
    await stage.raise(id, 'go', 'kept');
    await stage.stays(id, 'Suspended');
    await stage.manage('POST', `instances/${id}/resume?reason=on`);
    await stage.end(id);
  },
};
