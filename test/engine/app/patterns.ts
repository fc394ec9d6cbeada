/** The patterns that Durable Functions are used for, written as their documentation describes them. */
import df, { type OrchestrationContext, type OrchestrationHandler } from 'durable-functions';

const define = (name: string, handler: OrchestrationHandler) => df.app.orchestration(name, handler);
const inMs = (context: OrchestrationContext, ms: number) =>
  new Date(context.df.currentUtcDateTime.getTime() + ms);

/** Each step works on what the one before gave. */
define('pipeline', function* (context) {
  let text = context.df.getInput<string>() ?? '';
  for (const step of ['first', 'second', 'third'])
    text = (yield context.df.callActivity('append', { text, step })) as string;
  return text;
});

/** What there is to do is known only at run time; the ends are added up. */
define('backup', function* (context) {
  const files = (yield context.df.callActivity('list-files', context.df.getInput())) as string[];
  const sizes = (yield context.df.Task.all(
    files.map((file) => context.df.callActivity('copy-file', file)),
  )) as number[];
  return { files: files.length, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
});

/** Looks again and again until it is as it should be, or until it is too late. */
define('monitor', function* (context) {
  const { key, after, most } = context.df.getInput<{ key: string; after: number; most: number }>() ?? {
    key: '',
    after: 0,
    most: 1,
  };
  for (let look = 1; look <= most; look += 1) {
    const clear = (yield context.df.callActivity('is-clear', { key, after })) as string;
    context.df.setCustomStatus({ look, clear });
    if (clear === 'yes') return (yield context.df.callActivity('say', `clear after ${look}`)) as string;
    yield context.df.createTimer(inMs(context, 2_000));
  }
  return 'expired';
});

/** The same without a history that grows. */
define('monitor-for-ever', function* (context) {
  const { key, after, look } = context.df.getInput<{ key: string; after: number; look: number }>() ?? {
    key: '',
    after: 0,
    look: 1,
  };
  const clear = (yield context.df.callActivity('is-clear', { key, after })) as string;
  if (clear === 'yes') return `clear after ${look}`;
  yield context.df.createTimer(inMs(context, 2_000));
  context.df.continueAsNew({ key, after, look: look + 1 });
  return undefined;
});

/** A person has three tries to answer a challenge, all within one time. */
define('challenge', function* (context) {
  const { code, ms } = context.df.getInput<{ code: string; ms: number }>() ?? { code: '', ms: 2_000 };
  const sent = (yield context.df.callActivity('say', code)) as string;
  const timer = context.df.createTimer(inMs(context, ms));
  for (let tries = 1; tries <= 3; tries += 1) {
    const answer = context.df.waitForExternalEvent('answer');
    context.df.setCustomStatus(`try ${tries}`);
    const first = (yield context.df.Task.any([answer, timer])) as typeof answer;
    if (first !== answer) return 'too late';
    if (answer.result === sent) {
      timer.cancel();
      return `right at try ${tries}`;
    }
  }
  timer.cancel();
  return 'wrong three times';
});

/** Asks for approval, and escalates when nobody answers. */
define('approval', function* (context) {
  yield context.df.callActivity('say', 'please approve');
  const timer = context.df.createTimer(inMs(context, context.df.getInput<number>() ?? 2_000));
  const approved = context.df.waitForExternalEvent('approved');
  context.df.setCustomStatus('asked');
  const first = (yield context.df.Task.any([approved, timer])) as typeof approved;
  if (first !== approved) return (yield context.df.callActivity('say', 'escalated')) as string;
  timer.cancel();
  return (yield context.df.callActivity('say', approved.result)) as unknown;
});

/** A site is set up by a child for each device, and each child works in steps. */
define('site', function* (context) {
  const devices = context.df.getInput<string[]>() ?? [];
  const ids = (yield context.df.Task.all(
    devices.map((device) =>
      context.df.callSubOrchestrator('device', device, `${context.df.instanceId}-${device}`),
    ),
  )) as string[];
  return ids.join(' ');
});
define('device', function* (context) {
  const device = context.df.getInput<string>() ?? '';
  const key = context.df.instanceId;
  const keys = (yield context.df.callActivity('append', { text: device, step: 'keys' })) as string;
  const options = new df.RetryOptions(2_000, 3);
  const tried = (yield context.df.callActivityWithRetry('fail-times', options, { key, times: 1 })) as string;
  return `${keys} ${tried}`;
});
