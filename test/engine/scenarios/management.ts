import type { Scenarios } from '../scenario.ts';
import { summary, waiting, over, terminated, briefly } from './instances.ts';

/** What a manager sees of instances and does to them. */
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
    await summary(stage, id);
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
};
