import type { Scenarios } from '../scenario.ts';

export const first: Scenarios = {
  'one activity': async (stage) => {
    const id = stage.id();
    await stage.call('start', 'POST', `orchestrators/hello/${id}`, { body: { greet: 'house' } });
    await stage.end(id);
    await stage.triggers(id);
  },
  'an event before the timer': async (stage) => {
    const id = stage.id();
    await stage.start('race', id, { ms: 60_000, cancel: true });
    await stage.says(id, 'racing');
    await stage.call('raise', 'POST', `instances/${id}/raiseEvent/go`, { body: { a: 1 } });
    await stage.end(id);
  },
};
