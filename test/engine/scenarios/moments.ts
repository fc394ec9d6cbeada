import type { Scenarios } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { summary } from './instances.ts';

const restsNow = (stage: Stage, id: string) =>
  stage.until('the activity runs', async () => {
    const { body } = await stage.request('GET', `/api/slow/${id}?code=${stage.engine.functionKey}`);
    return body === true;
  });

/** What arrives, or dies, at an odd moment. */
export const moments: Scenarios = {
  'an event before the race for it, then an activity': async (stage) => {
    const id = stage.id();
    await stage.start('race-after-rest', id);
    await restsNow(stage, id);
    await stage.raise(id, 'go', 'early');
    await stage.end(id);
    await stage.triggers(id);
  },
  'an event before its waiter and the race, then an activity, twice': async (stage) => {
    const id = stage.id();
    await stage.start('races-after-rest', id);
    await restsNow(stage, id);
    await stage.raise(id, 'a', 1);
    await stage.raise(id, 'b', 2);
    await stage.end(id);
    await stage.triggers(id);
  },
  'an event after the race for it is lost, then an activity': async (stage) => {
    const id = stage.id();
    await stage.start('race-after-rest', id, { restMs: 100, raceMs: 2000 });
    await stage.end(id);
    await stage.call('late', 'POST', `instances/${id}/raiseEvent/go`, { body: 'late' });
    await stage.triggers(id);
  },
  // Whether it is lost is chance on the real engine, so what is compared is that it is accepted, and that the next arrives.
  'an event for an instance that may still be Pending': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.call('raise', 'POST', `instances/${id}/raiseEvent/go`, { body: 'at once' });
    const waitsOrEnds = await stage.until('it has begun', async () => {
      const one = await stage.instance(id);
      if (one?.runtimeStatus === 'Completed') return 'ends';
      return one?.runtimeStatus === 'Running' && one.customStatus === 'waiting' && 'waits';
    });
    if (waitsOrEnds === 'waits')
      await stage.manage('POST', `instances/${id}/raiseEvent/go`, { body: 'at once' });
    await summary(stage, id);
  },
  'a version of a child': async (stage) => {
    const id = stage.id();
    await stage.start('versioned-parent', id);
    await stage.stays(id);
    await stage.manage('POST', `instances/${id}/terminate?reason=enough`);
    await stage.finished(id);
  },
  'the engine dies in an activity': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const id = stage.id();
      await stage.start('race-after-rest', id, { restMs: 5000, raceMs: 60_000 });
      await restsNow(stage, id);
      await stage.kill('engine');
      await stage.raise(id, 'go', 'after');
      await summary(stage, id);
    },
  },
};
