import type { Scenarios } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { ended, summary, endedInAnyOrder, waiting } from './instances.ts';

/** Goes through what a listing gives, page by page. */
const pages = async (stage: Stage, query: string): Promise<string[][]> => {
  const found: string[][] = [];
  let token: string | undefined;
  do {
    const { body, token: next } = await stage.page(query, token);
    found.push((body as { instanceId: string }[]).map((one) => one.instanceId));
    token = next;
  } while (token !== undefined && found.length < 10);
  return found;
};

/** Families of instances, long lists, and steps under way. */
export const more: Scenarios = {
  'a child is terminated': async (stage) => {
    const id = stage.id();
    await stage.start('parent-waits', id);
    await stage.says(`${id}-child`, 'waiting');
    await stage.manage('POST', `instances/${id}-child/terminate?reason=enough`);
    await stage.end(`${id}-child`, 'child');
    await stage.finished(id);
    await stage.call('parent', 'GET', `instances/${id}?showHistory=true&showHistoryOutput=true`);
    await stage.triggers(id);
  },
  'a parent is terminated, its child goes on': async (stage) => {
    const id = stage.id();
    await stage.start('parent-waits', id);
    await stage.says(`${id}-child`, 'waiting');
    await stage.call('while the child runs', 'GET', `instances/${id}?showHistory=true`);
    await stage.manage('POST', `instances/${id}/terminate?reason=enough`);
    await stage.end(id);
    stage.note('child', (await stage.instance(`${id}-child`))?.runtimeStatus);
    await stage.raise(`${id}-child`, 'go', 1);
    await stage.end(`${id}-child`, 'child');
  },
  'a child that continues as new': async (stage) => {
    const id = stage.id();
    await stage.start('parent-again', id);
    await stage.end(id);
    await stage.call('child', 'GET', `instances/${id}-child`);
  },
  'a child whose id has ended before': async (stage) => {
    const id = stage.id();
    await stage.start('echo-input', `${id}-child`, 'before');
    await stage.finished(`${id}-child`);
    await stage.start('parent-of-named', id, `${id}-child`);
    await stage.end(id);
  },
  'a child whose id is running': async (stage) => {
    const id = stage.id();
    const other = await waiting(stage, 'other');
    await stage.start('parent-of-named', id, other);
    await stage.stays(id);
    for (const one of [id, other]) await stage.manage('POST', `instances/${one}/terminate?reason=done`);
  },
  'a start, an event and an end at once': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    const answers = await Promise.all([
      stage.manage('POST', `orchestrators/wait/${id}`),
      stage.manage('POST', `orchestrators/wait/${id}`),
    ]);
    stage.note(
      'starts',
      answers.map(({ status }) => status),
    );
    await stage.says(id, 'waiting');
    await stage.raise(id, 'go', 1);
    await stage.end(id);
  },
  'two events at once': async (stage) => {
    const id = stage.id();
    await stage.start('two-waiters', id);
    await stage.says(id, 'waiting');
    await Promise.all([stage.raise(id, 'go', 1), stage.raise(id, 'go', 2)]);
    const { output, runtimeStatus } = await stage.finished(id);
    stage.note('end', { runtimeStatus, both: (output as number[]).toSorted((one, other) => one - other) });
  },
  'twenty activities at once': endedInAnyOrder('many', 20),
  'nothing at once': ended('many', 0),
  'a failure in a race': endedInAnyOrder('first-failure'),
  'retries that wait longer each time': ended('retries-longer'),
  'three events in three steps': async (stage) => {
    const id = stage.id();
    await stage.start('waits-in-steps', id);
    for (const name of ['a', 'b', 'c']) {
      await stage.says(id, name);
      await stage.raise(id, name, { name });
    }
    await stage.end(id);
    await stage.triggers(id);
  },
  'events for later steps come first': async (stage) => {
    const id = stage.id();
    await stage.start('waits-in-steps', id);
    await stage.says(id, 'a');
    for (const name of ['c', 'b', 'a']) await stage.raise(id, name, name);
    await summary(stage, id);
  },
  'suspend without a reason': async (stage) => {
    const id = await waiting(stage);
    await stage.call('suspend', 'POST', `instances/${id}/suspend`);
    await stage.has(id, 'Suspended');
    await stage.call('suspended', 'GET', `instances/${id}?showHistory=true`);
    await stage.call('purge', 'DELETE', `instances/${id}`);
    await stage.call('resume', 'POST', `instances/${id}/resume`);
    await stage.has(id, 'Running');
    await stage.raise(id, 'go', 1);
    await stage.end(id);
  },
  'a timer that fires while suspended': async (stage) => {
    const id = stage.id();
    await stage.start('race', id, { ms: 2000, cancel: true });
    await stage.says(id, 'racing');
    await stage.manage('POST', `instances/${id}/suspend?reason=pause`);
    await stage.has(id, 'Suspended');
    await stage.stays(id, 'Suspended');
    await stage.manage('POST', `instances/${id}/resume?reason=on`);
    await summary(stage, id);
  },
  'restart a failed instance': async (stage) => {
    const id = stage.id();
    await stage.start('throws-at-once', id, 'trouble');
    await stage.finished(id);
    const { body } = await stage.call(
      'restart',
      'POST',
      `instances/${id}/restart?restartWithNewInstanceId=true`,
    );
    await summary(stage, (body as { id: string }).id);
  },
  'restart and wait': async (stage) => {
    const id = stage.id();
    await stage.start('hello', id, { a: 1 });
    await stage.finished(id);
    await stage.call('restart', 'POST', `instances/${id}/restart?timeout=60&pollingInterval=1`);
  },
  'rewind what threw by itself': async (stage) => {
    const id = stage.id();
    await stage.start('throws', id, 'trouble');
    await stage.finished(id);
    await stage.call('rewind', 'POST', `instances/${id}/rewind?reason=again`);
    await stage.stays(id);
  },
  'a list page by page': {
    alone: true,
    play: async (stage) => {
      const ids = ['p1', 'p2', 'p3', 'p4', 'p5'].map((name) => stage.id(name));
      for (const id of ids) await stage.start('echo-input', id, 1);
      for (const id of ids) await stage.finished(id);
      const prefix = `instanceIdPrefix=${stage.id('p')}`;
      stage.note('pages of two', (await pages(stage, `${prefix}&top=2`)).flat());
      stage.note('pages of five', (await pages(stage, `${prefix}&top=5`)).flat());
      for (const id of ids) await stage.manage('DELETE', `instances/${id}`);
    },
  },
  'a start with odd words in its address': async (stage) => {
    const id = stage.id();
    await stage.call('no name', 'POST', `orchestrators/`);
    await stage.call('timeout without polling', 'POST', `orchestrators/echo-input/${id}-1?timeout=5`, {
      body: 1,
    });
    await stage.call(
      'polling longer than timeout',
      'POST',
      `orchestrators/echo-input/${id}-2?timeout=1&pollingInterval=5`,
      { body: 1 },
    );
    await stage.call(
      'timeout that is none',
      'POST',
      `orchestrators/echo-input/${id}-3?timeout=soon&pollingInterval=1`,
      { body: 1 },
    );
    for (const name of ['-1', '-2', '-3']) await stage.finished(`${id}${name}`);
  },
  'bodies of starts': async (stage) => {
    const id = stage.id();
    for (const [index, text] of [
      '',
      '""',
      'null',
      ' 5 ',
      '[]',
      '{"a":1,"a":2}',
      'nonsense',
      '1 2',
      "{'a':1}",
    ].entries()) {
      const one = `${id}-${index}`;
      const { status } = await stage.manage('POST', `orchestrators/echo-input/${one}`, { text });
      const found = status === 202 ? await stage.finished(one) : undefined;
      stage.note(`body ${text}`, { status, output: found?.output ?? 'none' });
    }
  },
  'bodies of events': async (stage) => {
    const id = stage.id();
    for (const [index, text] of [
      '""',
      ' 5 ',
      '[]',
      '{"a":1,"a":2}',
      'nonsense',
      '1 2',
      "{'a':1}",
      'true',
    ].entries()) {
      const one = await waiting(stage, String(index));
      const { status } = await stage.manage('POST', `instances/${one}/raiseEvent/go`, { text });
      if (status !== 202) await stage.manage('POST', `instances/${one}/terminate?reason=x`);
      const found = await stage.finished(one);
      stage.note(`body ${text}`, { status, output: found.output });
    }
    stage.note('nobody else', (await stage.instance(id)) === undefined);
  },
};
