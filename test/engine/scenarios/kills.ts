import type { Scenarios } from '../scenario.ts';
import { summary } from './instances.ts';

/** The process of the app, or the engine with it, dies by SIGKILL. */
export const kills: Scenarios = {
  'the worker dies while an instance waits for an event': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const id = stage.id();
      await stage.start('wait', id);
      await stage.says(id, 'waiting');
      await stage.kill('worker');
      await stage.raise(id, 'go', 'after');
      await summary(stage, id);
    },
  },
  'the worker dies while a timer runs': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const id = stage.id();
      await stage.start('race', id, { ms: 5000, cancel: true });
      await stage.says(id, 'racing');
      await stage.kill('worker');
      await summary(stage, id);
    },
  },
  'the worker dies in an activity': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const id = stage.id();
      await stage.start('wait-late', id, 5000);
      await stage.until('the activity runs', async () => {
        const { body } = await stage.request('GET', `/api/slow/${id}?code=${stage.engine.functionKey}`);
        return body === true;
      });
      await stage.kill('worker');
      await stage.manage('POST', `instances/${id}/raiseEvent/go`, { body: 'after' });
      await summary(stage, id);
    },
  },
  'the worker dies while a child waits': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const id = stage.id();
      await stage.start('parent-waits', id);
      await stage.says(`${id}-child`, 'waiting');
      await stage.kill('worker');
      await stage.raise(`${id}-child`, 'go', 'after');
      await summary(stage, id);
    },
  },
  'the engine dies while instances wait and a timer runs': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const [waits, races] = [stage.id('waits'), stage.id('races')];
      await stage.start('wait', waits);
      await stage.start('race', races, { ms: 6000, cancel: true });
      await stage.says(waits, 'waiting');
      await stage.says(races, 'racing');
      await stage.kill('engine');
      await stage.raise(waits, 'go', 'after');
      await summary(stage, waits);
      await summary(stage, races);
    },
  },
  'the engine dies while an instance is suspended': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const id = stage.id();
      await stage.start('wait', id);
      await stage.says(id, 'waiting');
      await stage.manage('POST', `instances/${id}/suspend?reason=pause`);
      await stage.has(id, 'Suspended');
      await stage.kill('engine');
      await stage.has(id, 'Suspended');
      await stage.raise(id, 'go', 'after');
      await stage.manage('POST', `instances/${id}/resume?reason=on`);
      await summary(stage, id);
    },
  },
};
