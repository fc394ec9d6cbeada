import type { Scenarios } from '../scenario.ts';
import { ended, whole, endedInAnyOrder } from './instances.ts';

export const errors: Scenarios = {
  'an activity fails': whole('fails', 'no disk'),
  'an activity fails with several lines': ended('fails', 'first\nsecond\n    at third'),
  'an activity fails with quotes and letters of all kinds': ended('fails', 'ї "quoted" {"a":1} \\ </x>'),
  'an activity fails with a cause': ended('activity-fails-with-cause'),
  'an activity throws a text': ended('activity-throws-text'),
  'an error is caught': ended('catches', 'no disk'),
  'an error is made good': ended('compensates'),
  'one of three fails': endedInAnyOrder('one-of-three-fails'),
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
  'retries that help': ended('retries', (id: string) => ({ key: id, times: 1, attempts: 3 })),
  'retries that do not help': ended('retries', (id: string) => ({ key: id, times: 9, attempts: 2 })),
  'a child is tried again': ended('retries-child'),
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
