import { ABSENT, type Difference } from './transcript.ts';

/** A difference between the real engine and our host that stays, because a user is better off with it. */
export interface AcceptedDifference {
  readonly name: string;
  /** Why, in a sentence a user would accept. */
  readonly reason: string;
  readonly covers: (difference: Difference) => boolean;
}

const isText = (value: unknown): value is string => typeof value === 'string';

export const ACCEPTED: readonly AcceptedDifference[] = [
  {
    name: 'death of the process that runs the app',
    reason:
      'On the real engine the call that was just running fails, and with it the instance for good; ours runs it again and goes on.',
    covers: ({ scenario, step, real, ours }) =>
      scenario === 'the worker dies in an activity' &&
      step === 'end' &&
      (real === 'Failed' || /Non-Deterministic|exited with code/.test(String(real))) &&
      (ours === 'Completed' || ours === 'after'),
  },
  {
    name: 'unknown functions',
    reason:
      'An orchestration that calls an activity or a child that is not there waits for ever on the real engine, silently; ours fails it and names the function.',
    covers: ({ scenario, step }) =>
      ['an activity that is not there', 'a child that is not there'].includes(scenario) &&
      step === 'after a while',
  },
  {
    name: 'a child whose id is running',
    reason:
      'The real engine lets the parent wait for whatever that other instance will give one day, silently; ours tells the parent at once that the id is taken.',
    covers: ({ scenario, step }) => scenario === 'a child whose id is running' && step === 'after a while',
  },
  {
    name: 'a version nobody serves',
    reason:
      'Without defaultVersion in host.json an instance that was started with a version stays Pending for ever on the real engine; ours runs it.',
    covers: ({ scenario, step }) =>
      ['a version', 'a version of a child'].includes(scenario) && step === 'after a while',
  },
  {
    name: 'what is thrown without a text',
    reason:
      'Of a thrown text or an error without a message the real engine shows its own protocol instead; ours says what was thrown, as far as the library tells.',
    covers: ({ real, ours }) =>
      isText(real) && real.includes('$OutOfProcData$') && isText(ours) && ours.endsWith('failed: false'),
  },
  {
    name: 'a history that cannot be shown',
    reason:
      'After changed code has scheduled a task of the same number twice, the real engine answers 400 to who asks for the history; ours shows it.',
    covers: ({ scenario, step }) =>
      scenario === 'code that changed while the instance ran' && step === 'end: history',
  },
  {
    name: 'purge with a state that is none',
    reason:
      'The real engine ignores a state it does not know and purges everything that has ended since the date; ours purges nothing and says which word it does not know.',
    covers: ({ scenario }) => scenario === 'purge with a state that is none',
  },
  {
    name: 'bodies that are not JSON',
    reason:
      'The parser of .NET takes single quotes and stops reading after a first value; ours takes JSON only, and says so in one sentence instead of the parser’s words.',
    covers: ({ step, path, ours }) =>
      (path.endsWith('ExceptionMessage') && ours === 'The body is not JSON.') ||
      step === "body {'a':1}" ||
      step === 'body 1 2',
  },
  {
    name: 'the frame of the execution before',
    reason:
      'The first replay after continueAsNew carries the end of the episode before, which says nothing; ours begins clean.',
    covers: ({ scenario, step, path, real, ours }) =>
      scenario === 'continues as new' &&
      step === 'triggers' &&
      /^[2-5]\.history\./.test(path) &&
      (real === ABSENT || ours === ABSENT || path.split('.').length === 4),
  },
];
