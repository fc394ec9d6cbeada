import type { Scenarios } from '../scenario.ts';

/** What an app sees through the client library. */
export const client: Scenarios = {
  'the client starts, raises and reads': async (stage) => {
    const id = stage.id();
    await stage.ask('start', 'POST', `client/start/${id}`, { body: { name: 'wait', value: { a: 1 } } });
    await stage.says(id, 'waiting');
    await stage.ask('status', 'POST', `client/status/${id}`, { body: {} });
    await stage.ask('raise', 'POST', `client/raise/${id}`, { body: { name: 'go', value: [1] } });
    await stage.finished(id);
    await stage.ask('status at the end', 'POST', `client/status/${id}`, { body: {} });
    await stage.ask('history', 'POST', `client/history/${id}`, { body: {} });
    await stage.ask('raise too late', 'POST', `client/raise/${id}`, { body: { name: 'go', value: 1 } });
    await stage.ask('purge', 'POST', `client/purge/${id}`, { body: {} });
    await stage.ask('purge again', 'POST', `client/purge/${id}`, { body: {} });
  },
  'the client asks for what is not there': async (stage) => {
    const id = stage.id();
    for (const verb of ['status', 'raise', 'terminate', 'suspend', 'resume', 'purge', 'rewind'])
      await stage.ask(verb, 'POST', `client/${verb}/${id}`, { body: { name: 'x', value: 1 } });
  },
  'the client starts a running id': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.ask('start', 'POST', `client/start/${id}`, { body: { name: 'wait' } });
    await stage.raise(id, 'go');
    await stage.finished(id);
  },
  'the client raises without data': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.ask('raise', 'POST', `client/raise-nothing/${id}`, { body: { name: 'go' } });
    await stage.manage('POST', `instances/${id}/terminate?reason=done`);
    await stage.finished(id);
  },
  'the client suspends, resumes and terminates': async (stage) => {
    const id = stage.id();
    await stage.start('wait', id);
    await stage.says(id, 'waiting');
    await stage.ask('suspend', 'POST', `client/suspend/${id}`, { body: { name: 'pause' } });
    await stage.has(id, 'Suspended');
    await stage.ask('resume', 'POST', `client/resume/${id}`, { body: { name: 'on' } });
    await stage.has(id, 'Running');
    await stage.ask('terminate', 'POST', `client/terminate/${id}`, { body: { name: 'enough' } });
    await stage.finished(id);
    await stage.ask('terminate again', 'POST', `client/terminate/${id}`, { body: { name: 'enough' } });
  },
  'the client’s links': async (stage) => {
    await stage.ask('payload', 'POST', `client/payload/${stage.id()}`, { body: {} });
    await stage.ask('check-status', 'POST', `client/check-status/${stage.id()}`, { body: {} });
  },
};
