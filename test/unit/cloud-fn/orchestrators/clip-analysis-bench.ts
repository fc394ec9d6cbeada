import type { Verdict } from '@dachawatch/contracts';
import { analysisInput, details, detection, result } from './clip-samples.ts';
import { drive, type Outcomes, type Script } from './drive.ts';

export const working: Outcomes = {
  start_container: () => ({ worker: 'started' }),
  send_processing_request: () => null,
  find_result: () => null,
  keep_picture: () => ({ kept: true }),
  store_verdict: ({ verdict }: { verdict: Verdict }) => verdict,
  SendVideoComplited: () => null,
  Escalate: () => null,
  SendFailureNotification: () => null,
  send_verdict_to_device: () => ({ taken: true }),
};
export const fails = (text: string) => () => new Error(text);
export const person = { payload: result(details([detection('person')])) };
export const run = (more: Partial<Script> & { outcomes?: Outcomes }) =>
  drive({ input: analysisInput(), ...more, activities: { ...working, ...more.outcomes } });
export const namesOf = (actions: readonly string[]) => actions.map((action) => action.split(' ')[0]);
