import type { Scenarios } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** An instance that waits for an event. */
const waiting = async (stage: Stage, name = ''): Promise<string> => {
  const id = stage.id(name);
  await stage.start('wait', id);
  await stage.says(id, 'waiting');
  return id;
};
/** An instance that has ended. */
const over = async (stage: Stage, orchestrator = 'echo-input', name = ''): Promise<string> => {
  const id = stage.id(name);
  await stage.start(orchestrator, id, 'x');
  await stage.finished(id);
  return id;
};
const terminated = async (stage: Stage): Promise<string> => {
  const id = await waiting(stage);
  await stage.manage('POST', `instances/${id}/terminate?reason=enough`);
  await stage.finished(id);
  return id;
};

export const management: Scenarios = {
  'a running instance': async (stage) => {
    const id = await waiting(stage);
    await stage.call('shown', 'GET', `instances/${id}`);
    await stage.call('without its input', 'GET', `instances/${id}?showInput=false`);
    await stage.call('with history', 'GET', `instances/${id}?showHistory=true`);
    await stage.call('with case', 'GET', `instances/${id}?SHOWHISTORY=TRUE`);
    await stage.raise(id, 'go');
    await stage.end(id);
  },
  'history without results': async (stage) => {
    const id = await over(stage, 'chain');
    await stage.call('history', 'GET', `instances/${id}?showHistory=true`);
    await stage.call('results without history', 'GET', `instances/${id}?showHistoryOutput=true`);
    await stage.call('words that are no truth', 'GET', `instances/${id}?showHistory=yes&showInput=no`);
  },
  'an activity that still runs in the history': async (stage) => {
    const id = stage.id();
    await stage.start('wait-late', id, 4000);
    await stage.until('it is in the history', async () =>
      (await stage.instance(id, '?showHistory=true'))?.historyEvents?.some(
        (one) => one['EventType'] === 'TaskScheduled',
      ),
    );
    await stage.call('shown', 'GET', `instances/${id}?showHistory=true&showHistoryOutput=true`);
    await stage.raise(id, 'go');
    await stage.finished(id);
  },
  'an instance that is not there': async (stage) => {
    const id = stage.id();
    await stage.call('shown', 'GET', `instances/${id}`);
    await stage.call('raise', 'POST', `instances/${id}/raiseEvent/go`, { body: 1 });
    for (const verb of ['terminate', 'suspend', 'resume', 'rewind', 'restart'])
      await stage.call(verb, 'POST', `instances/${id}/${verb}?reason=x`);
    await stage.call('purge', 'DELETE', `instances/${id}`);
  },
  'verbs for an instance that is over': async (stage) => {
    const id = await over(stage);
    await stage.call('raise', 'POST', `instances/${id}/raiseEvent/go`, { body: 1 });
    for (const verb of ['terminate', 'suspend', 'resume', 'rewind'])
      await stage.call(verb, 'POST', `instances/${id}/${verb}?reason=x`);
  },
  terminate: async (stage) => {
    const id = await waiting(stage);
    await stage.call('terminate', 'POST', `instances/${id}/terminate?reason=enough`);
    await stage.end(id);
  },
  'terminate without a reason': async (stage) => {
    const id = await waiting(stage);
    await stage.call('terminate', 'POST', `instances/${id}/terminate`);
    await stage.end(id);
  },
  'terminate with a reason of many letters': async (stage) => {
    const id = await waiting(stage);
    await stage.call(
      'terminate',
      'POST',
      `instances/${id}/terminate?reason=${encodeURIComponent('ї "a" & b')}`,
    );
    await stage.end(id);
  },
  'terminate while suspended': async (stage) => {
    const id = await waiting(stage);
    await stage.manage('POST', `instances/${id}/suspend?reason=pause`);
    await stage.has(id, 'Suspended');
    await stage.call('terminate', 'POST', `instances/${id}/terminate?reason=enough`);
    await stage.end(id);
  },
  'suspend and resume': async (stage) => {
    const id = await waiting(stage);
    await stage.call('suspend', 'POST', `instances/${id}/suspend?reason=pause`);
    await stage.has(id, 'Suspended');
    await stage.call('suspended', 'GET', `instances/${id}?showHistory=true`);
    await stage.call('resume', 'POST', `instances/${id}/resume?reason=on`);
    await stage.has(id, 'Running');
    await stage.call('resumed', 'GET', `instances/${id}?showHistory=true`);
    await stage.raise(id, 'go', 1);
    await stage.end(id);
  },
  'suspend what is suspended': async (stage) => {
    const id = await waiting(stage);
    await stage.manage('POST', `instances/${id}/suspend?reason=pause`);
    await stage.has(id, 'Suspended');
    const answer = await stage.manage('POST', `instances/${id}/suspend?reason=again`);
    stage.note('suspend', briefly(answer));
    await stage.manage('POST', `instances/${id}/terminate?reason=done`);
    await stage.finished(id);
  },
  'resume what runs': async (stage) => {
    const id = await waiting(stage);
    stage.note('resume', briefly(await stage.manage('POST', `instances/${id}/resume?reason=on`)));
    await stage.raise(id, 'go');
    await stage.finished(id);
  },
  'rewind a failed instance': async (stage) => {
    const id = stage.id();
    await stage.start('flaky-child', id, id);
    await stage.finished(id);
    await stage.call('rewind', 'POST', `instances/${id}/rewind?reason=again`);
    await stage.has(id, 'Completed');
    await stage.end(id);
  },
  'rewind a running instance': async (stage) => {
    const id = await waiting(stage);
    await stage.call('rewind', 'POST', `instances/${id}/rewind?reason=again`);
    await stage.raise(id, 'go');
    await stage.finished(id);
  },
  'rewind a parent of a failed child': async (stage) => {
    const id = stage.id();
    await stage.start('parent-of-flaky', id, id);
    await stage.finished(id);
    await stage.call('rewind', 'POST', `instances/${id}/rewind?reason=again`);
    await stage.has(id, 'Completed');
    const { output, runtimeStatus } = await stage.finished(id);
    stage.note('end', { runtimeStatus, output });
    stage.note('child', (await stage.instance(`${id}-child`))?.runtimeStatus);
  },
  'restart with a new id': async (stage) => {
    const id = await over(stage);
    const { body } = await stage.call('restart', 'POST', `instances/${id}/restart`);
    const restarted = (body as { id: string }).id;
    stage.note('another id', restarted !== id);
    const { output, runtimeStatus } = await stage.finished(restarted);
    stage.note('end', { runtimeStatus, input: (output as { input: unknown }).input });
  },
  'restart with the same id': async (stage) => {
    const id = await over(stage);
    await stage.call('restart', 'POST', `instances/${id}/restart?restartWithNewInstanceId=false`);
    await stage.until('it ran again', async () => {
      const one = await stage.instance(id, '?showHistory=true');
      return one?.runtimeStatus === 'Completed' && one.historyEvents?.[0]?.['Generation'] === 1;
    });
    await stage.end(id);
  },
  'restart a running instance with the same id': async (stage) => {
    const id = await waiting(stage);
    stage.note(
      'restart',
      briefly(await stage.manage('POST', `instances/${id}/restart?restartWithNewInstanceId=false`)),
    );
    await stage.raise(id, 'go');
    await stage.finished(id);
  },
  'purge an instance': async (stage) => {
    const id = await over(stage);
    await stage.call('purge', 'DELETE', `instances/${id}`);
    await stage.call('gone', 'GET', `instances/${id}`);
    await stage.call('purge again', 'DELETE', `instances/${id}`);
  },
  'purge a running instance': async (stage) => {
    const id = await waiting(stage);
    await stage.call('purge', 'DELETE', `instances/${id}`);
    await stage.raise(id, 'go');
    await stage.finished(id);
  },
  'purge a terminated instance': async (stage) => {
    const id = await terminated(stage);
    await stage.call('purge', 'DELETE', `instances/${id}`);
  },
  'purge many': {
    alone: true,
    play: async (stage) => {
      const began = new Date(Date.now() - 1000).toISOString();
      const ids = [
        await over(stage, 'echo-input', 'a'),
        await over(stage, 'echo-input', 'b'),
        await over(stage, 'fails', 'c'),
      ];
      const runs = await waiting(stage, 'd');
      await stage.call('without a date', 'DELETE', 'instances?runtimeStatus=Completed');
      await stage.call('with a date that is none', 'DELETE', 'instances?createdTimeFrom=soon');
      await stage.call(
        'of a time when there was nothing',
        'DELETE',
        'instances?createdTimeFrom=2001-01-01T00:00:00Z&createdTimeTo=2001-01-02T00:00:00Z',
      );
      await stage.call('failed ones', 'DELETE', `instances?createdTimeFrom=${began}&runtimeStatus=Failed`);
      const left = await Promise.all(
        [...ids, runs].map(async (id) => (await stage.instance(id))?.runtimeStatus ?? 'gone'),
      );
      stage.note('left', left);
      await stage.raise(runs, 'go');
      await stage.finished(runs);
    },
  },
  'purge with a state that is none': {
    alone: true,
    play: async (stage) => {
      const began = new Date(Date.now() - 1000).toISOString();
      const id = await over(stage);
      const answer = await stage.manage(
        'DELETE',
        `instances?createdTimeFrom=${began}&runtimeStatus=Complete`,
      );
      stage.note('purge', { status: answer.status });
      stage.note('left', (await stage.instance(id))?.runtimeStatus ?? 'gone');
    },
  },
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
    const { output, runtimeStatus } = await stage.finished(id);
    stage.note('end', { runtimeStatus, output });
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
    const { output, runtimeStatus } = await stage.finished(`${id}-2`);
    stage.note('end', { runtimeStatus, output });
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

/** Status and the texts of an error, without stacks and types. */
function briefly({ status, body }: { readonly status: number; readonly body: unknown }) {
  if (typeof body !== 'object' || body === null) return { status, body };
  const { Message, ExceptionMessage } = body as { Message?: string; ExceptionMessage?: string };
  return { status, fields: Object.keys(body), Message, ExceptionMessage };
}
