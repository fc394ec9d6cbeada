import type { Scenarios } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { summary, waiting, over, terminated, briefly } from './instances.ts';

/** Starts, lists, addresses and bodies of the management API. */
export const starts: Scenarios = {
  'a list by prefix, state, page and time': {
    alone: true,
    play: async (stage) => {
      const began = new Date(Date.now() - 1000).toISOString();
      const ids = [
        await over(stage, 'echo-input', 'l1'),
        await over(stage, 'fails', 'l2'),
        await over(stage, 'echo-input', 'l3'),
      ];
      const runs = await waiting(stage, 'l4');
      const prefix = `instanceIdPrefix=${stage.id('l')}`;
      const idsOf = async (label: string, query: string) => {
        const { status, body, headers } = await stage.manage('GET', `instances?${query}`);
        const list = Array.isArray(body)
          ? (body as { instanceId: string }[]).map((one) => one.instanceId)
          : body;
        stage.note(label, { status, type: headers['content-type'], list });
      };
      await stage.call('whole', 'GET', `instances?${prefix}`);
      await stage.call(
        'without inputs',
        'GET',
        `instances?${prefix}&showInput=false&runtimeStatus=Completed`,
      );
      await idsOf('completed', `${prefix}&runtimeStatus=Completed`);
      await idsOf('completed or failed', `${prefix}&runtimeStatus=Completed,Failed`);
      await idsOf('two states in two words', `${prefix}&runtimeStatus=Completed&runtimeStatus=Running`);
      await idsOf('states mind case', `${prefix}&runtimeStatus=completed`);
      await idsOf('an unknown state beside a known one', `${prefix}&runtimeStatus=Nope,Running`);
      await idsOf('a page of two', `${prefix}&top=2`);
      await idsOf('a page of none', `${prefix}&top=0`);
      await idsOf('since then', `${prefix}&createdTimeFrom=${began}`);
      await idsOf('before', `${prefix}&createdTimeTo=2001-01-01T00:00:00Z`);
      await idsOf('a date that is none', `${prefix}&createdTimeFrom=soon`);
      await idsOf('nobody', `instanceIdPrefix=${stage.id('nobody')}`);
      await stage.raise(runs, 'go');
      await stage.finished(runs);
      for (const id of [...ids, runs]) await stage.manage('DELETE', `instances/${id}`);
    },
  },
  'start a running id': async (stage) => {
    const id = await waiting(stage);
    await stage.call('again', 'POST', `orchestrators/wait/${id}`);
    await stage.raise(id, 'go');
    await stage.finished(id);
  },
  'start a finished id': async (stage) => {
    const id = await over(stage);
    await stage.call('again', 'POST', `orchestrators/echo-input/${id}`, { body: 'second' });
    await stage.until('it ran again', async () => {
      const one = await stage.instance(id, '?showHistory=true');
      return one?.runtimeStatus === 'Completed' && one.historyEvents?.[0]?.['Generation'] !== 0;
    });
    await stage.end(id);
  },
  'start a terminated id': async (stage) => {
    const id = await terminated(stage);
    await stage.start('echo-input', id, 'second');
    await stage.has(id, 'Completed');
    await stage.end(id);
  },
  'start without an id': async (stage) => {
    const { status, body } = await stage.manage('POST', 'orchestrators/echo-input', { body: 1 });
    const { id } = body as { id: string };
    stage.note('start', { status, form: /^[0-9a-f]{32}$/.test(id) });
    await summary(stage, id);
  },
  'start what is not there': async (stage) => {
    const id = stage.id();
    await stage.call('start', 'POST', `orchestrators/nobody/${id}`);
    await stage.end(id);
  },
  'start an activity': async (stage) => {
    const id = stage.id();
    await stage.call('start', 'POST', `orchestrators/say/${id}`);
    await stage.end(id);
  },
  'start with a body that is not JSON': async (stage) => {
    const answer = await stage.manage('POST', `orchestrators/echo-input/${stage.id()}`, { text: '{"a":' });
    stage.note('start', briefly(answer));
    stage.note('nothing runs', (await stage.instance(stage.id())) === undefined);
  },
  'start and wait for the end': async (stage) => {
    const id = stage.id();
    await stage.call('start', 'POST', `orchestrators/hello/${id}?timeout=60&pollingInterval=1`, {
      body: { a: 1 },
    });
    await stage.call('a failing one', 'POST', `orchestrators/fails/${id}-2?timeout=60&pollingInterval=1`, {
      body: 'no disk',
    });
    await stage.call('one that goes on', 'POST', `orchestrators/wait/${id}-3?timeout=1&pollingInterval=1`);
    await stage.raise(`${id}-3`, 'go');
    await stage.finished(`${id}-3`);
  },
  'a failed instance as an error': async (stage) => {
    const id = await over(stage, 'throws-at-once');
    await stage.call('as an error', 'GET', `instances/${id}?returnInternalServerErrorOnFailure=true`);
    await stage.call('as usual', 'GET', `instances/${id}?returnInternalServerErrorOnFailure=false`);
  },
  'events that are refused': async (stage) => {
    const id = await waiting(stage);
    const raise = async (label: string, path: string, sent: Parameters<Stage['manage']>[2]) => {
      stage.note(label, briefly(await stage.manage('POST', `instances/${id}/${path}`, sent)));
    };
    await raise('not JSON by its type', 'raiseEvent/go', {
      text: '1',
      headers: { 'content-type': 'text/plain' },
    });
    await raise('not JSON', 'raiseEvent/go', { text: '{"a":' });
    await raise('without a name', 'raiseEvent', { body: 1 });
    await raise('with too long a path', 'raiseEvent/go/more', { body: 1 });
    await raise('empty', 'raiseEvent/go', { text: '' });
    await stage.manage('POST', `instances/${id}/terminate?reason=done`);
    await stage.finished(id);
  },
  'paths ignore case': async (stage) => {
    const id = await waiting(stage);
    await stage.call('shown', 'GET', `INSTANCES/${id}`);
    await stage.call('raise', 'POST', `Instances/${id}/RAISEEVENT/go`, { body: 1 });
    await stage.finished(id);
    await stage.call('names ignore case', 'POST', `Orchestrators/ECHO-Input/${id}-2`, { body: 1 });
    await summary(stage, `${id}-2`);
  },
  'wrong methods and paths': async (stage) => {
    const id = await over(stage);
    await stage.call('PUT', 'PUT', `instances/${id}`);
    await stage.call('POST', 'POST', `instances/${id}`);
    await stage.call('GET a start', 'GET', `orchestrators/hello/${id}`);
    await stage.call('GET a verb', 'GET', `instances/${id}/terminate`);
    await stage.call('an unknown verb', 'POST', `instances/${id}/explode`);
    await stage.call('an unknown room', 'GET', 'rooms');
    await stage.call('POST to all', 'POST', 'instances');
  },
  'odd ids': async (stage) => {
    for (const [index, odd] of ['a b', "it's", 'ä', '@x', 'a+b', 'a%b', 'x'.repeat(200)].entries()) {
      const id = `${stage.id(String(index))}${odd}`;
      await stage.call(`start ${index}`, 'POST', `orchestrators/echo-input/${encodeURIComponent(id)}`, {
        body: index,
      });
      const found = await stage.until('it is finished', async () => {
        const one = await stage.instance(id);
        return one?.runtimeStatus === 'Completed' && one;
      });
      stage.note(`end ${index}`, found);
    }
  },
  'entities that are not there': async (stage) => {
    await stage.call('all', 'GET', 'entities');
    await stage.call('one', 'GET', 'entities/counter/a');
  },
  'an unknown hub or connection': async (stage) => {
    const id = await over(stage);
    await stage.call('its own hub', 'GET', `instances/${id}?taskHub=enginetests&connection=Storage`);
    await stage.call('an unknown hub', 'GET', `instances/${id}?taskHub=other`);
    stage.note(
      'an unknown connection',
      briefly(await stage.manage('GET', `instances/${id}?connection=Nope`)),
    );
  },
};
