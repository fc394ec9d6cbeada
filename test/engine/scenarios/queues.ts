import type { Scenarios } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const QUEUE = 'engine-in';
const POISON = 'engine-in-poison';

const poisoned = (stage: Stage, part: string) =>
  stage.until('the message is poison', async () => {
    const texts = await stage.peek(POISON).catch(() => []);
    return texts.find((text) => text.includes(part));
  });

export const queues: Scenarios = {
  'a message starts an instance': {
    needs: 'storage',
    play: async (stage) => {
      const id = stage.id();
      await stage.send(QUEUE, JSON.stringify({ id, start: 'echo-input', value: 'from the queue' }));
      await stage.until('it was started', () => stage.instance(id));
      await stage.end(id);
    },
  },
  'a message raises an event': {
    needs: 'storage',
    play: async (stage) => {
      const id = stage.id();
      await stage.start('wait', id);
      await stage.says(id, 'waiting');
      await stage.send(QUEUE, JSON.stringify({ id, name: 'go', value: { text: 'ї' } }));
      await stage.end(id);
    },
  },
  'a message that fails is tried and becomes poison': {
    needs: 'storage',
    play: async (stage) => {
      const id = stage.id();
      await stage.send(QUEUE, JSON.stringify({ id, fail: 'always' }));
      stage.note('poison', JSON.parse(await poisoned(stage, id)));
      await stage.ask('deliveries', 'GET', `deliveries/${id}`);
    },
  },
  'a message that is not JSON becomes poison as it is': {
    needs: 'storage',
    play: async (stage) => {
      const text = `no JSON {"${stage.id()}`;
      await stage.send(QUEUE, text);
      stage.note('poison', (await poisoned(stage, text)) === text);
    },
  },
  'an event for nobody becomes poison': {
    needs: 'storage',
    play: async (stage) => {
      const id = stage.id();
      await stage.send(QUEUE, JSON.stringify({ id, name: 'go', value: 1 }));
      stage.note('poison', JSON.parse(await poisoned(stage, id)));
    },
  },
};
