import type { Scenarios } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const ended =
  (name: string, input?: unknown) =>
  async (stage: Stage): Promise<void> => {
    const id = stage.id();
    await stage.start(name, id, input);
    await stage.end(id);
  };

export const errors: Scenarios = {
  'an activity fails': async (stage) => {
    const id = stage.id();
    await stage.start('fails', id, 'no disk');
    await stage.end(id);
    await stage.triggers(id);
  },
  'an activity fails with several lines': ended('fails', 'first\nsecond\n    at third'),
  'an activity fails with quotes and letters of all kinds': ended('fails', 'ї "quoted" {"a":1} \\ </x>'),
  'an activity fails with a cause': ended('activity-fails-with-cause'),
  'an activity throws a text': ended('activity-throws-text'),
  'an error is caught': ended('catches', 'no disk'),
  'an error is made good': ended('compensates'),
  'one of three fails': async (stage) => {
    const id = stage.id();
    await stage.start('one-of-three-fails', id);
    const { output, runtimeStatus } = await stage.finished(id);
    stage.note('end', { runtimeStatus, output });
  },
  'an orchestrator throws': ended('throws', 'trouble'),
  'an orchestrator throws at once': ended('throws-at-once', 'trouble'),
  'an orchestrator throws a text': ended('throws-text'),
  'an orchestrator throws an empty error': ended('throws-empty'),
  'a child fails': async (stage) => {
    const id = stage.id();
    await stage.start('catches-child', id);
    await stage.end(id);
    await stage.end(`${id}-child`, 'child');
    await stage.triggers(id);
  },
  'retries that help': async (stage) => {
    const id = stage.id();
    await stage.start('retries', id, { key: id, times: 1, attempts: 3 });
    await stage.end(id);
  },
  'retries that do not help': async (stage) => {
    const id = stage.id();
    await stage.start('retries', id, { key: id, times: 9, attempts: 2 });
    await stage.end(id);
  },
  'a child is tried again': async (stage) => {
    const id = stage.id();
    await stage.start('retries-child', id);
    await stage.end(id);
  },
  'an activity that is not there': async (stage) => {
    const id = stage.id();
    await stage.start('calls-unknown-activity', id);
    await stage.stays(id);
    await stage.manage('POST', `instances/${id}/terminate?reason=done`);
  },
  'a child that is not there': async (stage) => {
    const id = stage.id();
    await stage.start('calls-unknown-child', id);
    await stage.stays(id);
    await stage.manage('POST', `instances/${id}/terminate?reason=done`);
  },
  'a status that is too large': ended('status-too-large', 9000),
  'code that changed while the instance ran': ended('changes'),
};
