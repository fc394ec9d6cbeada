import df, { type OrchestrationContext, type OrchestrationHandler } from 'durable-functions';

const define = (name: string, handler: OrchestrationHandler) => df.app.orchestration(name, handler);
const inMs = (context: OrchestrationContext, ms: number) =>
  new Date(context.df.currentUtcDateTime.getTime() + ms);
const messageOf = (error: unknown) => (error as Error).message;

define('hello', function* (context) {
  return (yield context.df.callActivity('say', context.df.getInput())) as unknown;
});
// oxlint-disable-next-line require-yield -- it ends at once: that is the scenario
define('echo-input', function* (context) {
  return { input: context.df.getInput() ?? 'none', id: context.df.instanceId };
});
define('no-result', function* (context) {
  yield context.df.callActivity('nothing');
});
define('chain', function* (context) {
  const words = [];
  for (const word of ['one', 'two', 'three'])
    words.push((yield context.df.callActivity('say', word)) as string);
  return words;
});
define('fan-out', function* (context) {
  const tasks = [3, 1, 2].map((n) => context.df.callActivity('say', { n }));
  return (yield context.df.Task.all(tasks)) as unknown;
});
define('values', function* (context) {
  const values = [];
  const inputs = [
    'text',
    '5',
    '',
    ' ',
    'null',
    '{"a":1}',
    5,
    1.5,
    true,
    false,
    null,
    undefined,
    { a: [1] },
    [1, 'a'],
    'ünï "q"',
  ];
  for (const input of inputs) values.push((yield context.df.callActivity('describe', input)) as unknown);
  return values;
});
define('results', function* (context) {
  const values = [];
  for (const input of ['text', '5', 5, 1.5, true, null, { a: null }, [], '2026-01-02T03:04:05Z'])
    values.push((yield context.df.callActivity('say', { input })) as unknown);
  values.push(((yield context.df.callActivity('nothing')) as unknown) ?? 'none');
  return values;
});
define('activity-context', function* (context) {
  return (yield context.df.callActivity('context', 'in')) as unknown;
});
// oxlint-disable-next-line require-yield -- it ends at once: that is the scenario
define('guids', function* (context) {
  return [context.df.newGuid('a') === context.df.newGuid('a'), context.df.isReplaying];
});

define('wait', function* (context) {
  context.df.setCustomStatus('waiting');
  const data = (yield context.df.waitForExternalEvent('go')) as unknown;
  return { data: data ?? 'none' };
});
define('wait-twice', function* (context) {
  const first = (yield context.df.waitForExternalEvent('go')) as unknown;
  const second = (yield context.df.waitForExternalEvent('go')) as unknown;
  return [first, second];
});
define('two-waiters', function* (context) {
  const first = context.df.waitForExternalEvent('go');
  const second = context.df.waitForExternalEvent('go');
  context.df.setCustomStatus('waiting');
  yield context.df.Task.all([first, second]);
  return [first.result, second.result];
});
define('wait-late', function* (context) {
  yield context.df.callActivity('slow', { ms: context.df.getInput<number>() ?? 3000, value: 'rested' });
  return (yield context.df.waitForExternalEvent('go')) as unknown;
});
define('race', function* (context) {
  const { ms, cancel } = context.df.getInput<{ ms: number; cancel: boolean }>() ?? { ms: 2000, cancel: true };
  const event = context.df.waitForExternalEvent('go');
  const timer = context.df.createTimer(inMs(context, ms));
  context.df.setCustomStatus('racing');
  const first = (yield context.df.Task.any([event, timer])) as typeof event;
  if (first !== event) return 'too late';
  if (cancel) timer.cancel();
  return { in: 'time', data: event.result };
});
define('race-activities', function* (context) {
  const quick = context.df.callActivity('say', 'quick');
  const slow = context.df.callActivity('slow', { ms: 2000, value: 'slow' });
  const first = (yield context.df.Task.any([slow, quick])) as typeof quick;
  return first === quick ? 'quick' : 'slow';
});
define('timer', function* (context) {
  yield context.df.createTimer(inMs(context, context.df.getInput<number>() ?? 2000));
  return 'rested';
});
define('timer-in-the-past', function* (context) {
  yield context.df.createTimer(inMs(context, -60_000));
  return 'rested';
});

define('retries', function* (context) {
  const { key, times, attempts } = context.df.getInput<{
    key: string;
    times: number;
    attempts: number;
  }>() ?? {
    key: '',
    times: 0,
    attempts: 1,
  };
  const options = new df.RetryOptions(2000, attempts);
  return (yield context.df.callActivityWithRetry('fail-times', options, { key, times })) as string;
});
define('retries-child', function* (context) {
  const options = new df.RetryOptions(2000, 2);
  yield context.df.callSubOrchestratorWithRetry('fails', options, 'child trouble');
});
define('fails', function* (context) {
  yield context.df.callActivity('fail', context.df.getInput());
});
define('throws', function* (context) {
  yield context.df.callActivity('say', 'before');
  throw new Error(context.df.getInput<string>() ?? 'thrown');
});
// oxlint-disable-next-line require-yield -- it ends at once: that is the scenario
define('throws-at-once', function* (context) {
  throw new RangeError(context.df.getInput<string>() ?? 'thrown at once');
});
// oxlint-disable-next-line require-yield -- it ends at once: that is the scenario
define('throws-text', function* () {
  // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- what is thrown is not an Error: that is the scenario
  throw 'only text';
});
// oxlint-disable-next-line require-yield -- it ends at once: that is the scenario
define('throws-empty', function* () {
  throw new Error('');
});
define('activity-throws-text', function* (context) {
  yield context.df.callActivity('throw-text', 'only text');
});
define('activity-fails-with-cause', function* (context) {
  yield context.df.callActivity('fail-with-cause', 'with a cause');
});
define('catches', function* (context) {
  try {
    yield context.df.callActivity('fail', context.df.getInput());
  } catch (error) {
    return { caught: messageOf(error) };
  }
  return 'not reached';
});
define('catches-child', function* (context) {
  try {
    yield context.df.callSubOrchestrator('fails', 'child trouble', `${context.df.instanceId}-child`);
  } catch (error) {
    return { caught: messageOf(error) };
  }
  return 'not reached';
});
define('compensates', function* (context) {
  try {
    yield context.df.callActivity('fail', 'first');
  } catch {
    return (yield context.df.callActivity('say', 'made good')) as string;
  }
  return 'not reached';
});
define('one-of-three-fails', function* (context) {
  yield context.df.Task.all([
    context.df.callActivity('say', 'a'),
    context.df.callActivity('fail', 'b'),
    context.df.callActivity('say', 'c'),
  ]);
});
define('calls-unknown-activity', function* (context) {
  yield context.df.callActivity('nobody');
});
define('calls-unknown-child', function* (context) {
  yield context.df.callSubOrchestrator('nobody');
});

define('child', function* (context) {
  const n = context.df.getInput<number>() ?? 0;
  return (yield context.df.callActivity('say', n * 10)) as number;
});
define('parent', function* (context) {
  return (yield context.df.callSubOrchestrator('child', 7, `${context.df.instanceId}-child`)) as number;
});
define('parent-of-nameless', function* (context) {
  return (yield context.df.callSubOrchestrator('child', 7)) as number;
});
define('flaky-child', function* (context) {
  return (yield context.df.callActivity('fail-times', { key: context.df.getInput(), times: 1 })) as string;
});
define('parent-of-flaky', function* (context) {
  const key = context.df.getInput();
  return (yield context.df.callSubOrchestrator(
    'flaky-child',
    key,
    `${context.df.instanceId}-child`,
  )) as string;
});
define('parents', function* (context) {
  const children = [1, 2, 3].map((n) =>
    context.df.callSubOrchestrator('child', n, `${context.df.instanceId}-${n}`),
  );
  return (yield context.df.Task.all(children)) as number[];
});
define('parent-waits', function* (context) {
  try {
    return (yield context.df.callSubOrchestrator('wait', null, `${context.df.instanceId}-child`)) as unknown;
  } catch (error) {
    return { caught: messageOf(error) };
  }
});

define('parent-again', function* (context) {
  const child = `${context.df.instanceId}-child`;
  return (yield context.df.callSubOrchestrator('again', { round: 1, rounds: 2 }, child)) as unknown;
});
define('parent-of-named', function* (context) {
  try {
    return (yield context.df.callSubOrchestrator('child', 7, context.df.getInput<string>() ?? '')) as number;
  } catch (error) {
    return { caught: messageOf(error) };
  }
});
define('many', function* (context) {
  const count = context.df.getInput<number>() ?? 0;
  const tasks = Array.from({ length: count }, (_, n) => context.df.callActivity('say', n));
  return (yield context.df.Task.all(tasks)) as unknown;
});
define('first-failure', function* (context) {
  try {
    const failing = context.df.callActivity('fail', 'first');
    yield context.df.Task.any([failing, context.df.waitForExternalEvent('never')]);
    return failing.isFaulted ? 'faulted' : 'not faulted';
  } catch (error) {
    return { caught: messageOf(error).split(' \n')[0] };
  }
});
define('retries-longer', function* (context) {
  const options = new df.RetryOptions(1000, 3);
  options.backoffCoefficient = 2;
  options.maxRetryIntervalInMilliseconds = 2000;
  const input = { key: context.df.instanceId, times: 2 };
  return (yield context.df.callActivityWithRetry('fail-times', options, input)) as string;
});
define('waits-in-steps', function* (context) {
  for (const name of ['a', 'b', 'c']) {
    context.df.setCustomStatus(name);
    yield context.df.callActivity('say', (yield context.df.waitForExternalEvent(name)) as unknown);
  }
  return 'done';
});
define('again', function* (context) {
  const { round, rounds } = context.df.getInput<{ round: number; rounds: number }>() ?? {
    round: 1,
    rounds: 1,
  };
  yield context.df.callActivity('say', round);
  if (round < rounds) {
    context.df.continueAsNew({ round: round + 1, rounds });
    return undefined;
  }
  return { rounds: round };
});
define('again-with-event', function* (context) {
  const round = context.df.getInput<number>() ?? 0;
  if (round > 0) return { seen: (yield context.df.waitForExternalEvent('late')) as unknown };
  context.df.setCustomStatus('first');
  yield context.df.waitForExternalEvent('go');
  context.df.continueAsNew(1);
  return undefined;
});

define('custom-status', function* (context) {
  context.df.setCustomStatus({ step: context.df.getInput() ?? null });
  yield context.df.waitForExternalEvent('go');
  context.df.setCustomStatus(null);
  yield context.df.waitForExternalEvent('go');
});
define('status-too-large', function* (context) {
  context.df.setCustomStatus('s'.repeat(context.df.getInput<number>() ?? 9000));
  yield context.df.callActivity('say', 'on');
  return 'done';
});
define('large', function* (context) {
  const length = context.df.getInput<number>() ?? 0;
  const text = (yield context.df.callActivity('make-large', length)) as string;
  return text.length;
});
define('large-everywhere', function* (context) {
  const text = context.df.getInput<string>() ?? '';
  const back = (yield context.df.callActivity('say', text)) as string;
  return { same: back === text, back };
});
define('versioned', function* (context) {
  yield context.df.callActivity('say', 'on');
  return { version: context.df.version ?? 'none' };
});
define('versioned-parent', function* (context) {
  return (yield context.df.callSubOrchestrator(
    'versioned',
    null,
    `${context.df.instanceId}-child`,
    '2.0',
  )) as unknown;
});
/** Stands for code that was changed while instances ran. */
let deployments = 0;
define('changes', function* (context) {
  deployments += 1;
  yield context.df.callActivity(deployments === 1 ? 'say' : 'nothing', 'first');
  return 'done';
});
define('yields-a-task-twice', function* (context) {
  const slow = context.df.callActivity('slow', { ms: 500, value: 'slow' });
  context.df.setCustomStatus('waiting');
  yield context.df.Task.any([slow, context.df.waitForExternalEvent('a')]);
  yield context.df.Task.any([slow, context.df.waitForExternalEvent('b')]);
  return 'done';
});
