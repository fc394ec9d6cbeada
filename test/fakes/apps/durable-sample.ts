/** A functions app that knows nothing of the local host: every durable pattern the product uses, small. */
import { appendFileSync } from 'node:fs';
import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';

/** What activities and hooks did in this process, in order. */
export const effects: string[] = [];
/** Stands for a deployment of changed code. */
export const deployed = { extraActivity: false };
/** What the activity Held waits for. */
export const gate: { open: Promise<void> } = { open: Promise.resolve() };

const effect = (text: string) => {
  effects.push(text);
  const file = process.env['SAMPLE_EFFECTS_FILE'];
  if (file !== undefined) appendFileSync(file, `${text}\n`);
};
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const retry = (attempts: number) => {
  const options = new df.RetryOptions(5000, attempts);
  options.backoffCoefficient = 2;
  return options;
};
const inMs = (context: df.OrchestrationContext, ms: number) =>
  new Date(context.df.currentUtcDateTime.getTime() + ms);

app.hook.preInvocation((context) => {
  if (context.invocationContext.functionName === 'Echo') effect('hook:pre');
});
app.hook.postInvocation((context) => {
  if (context.invocationContext.functionName === 'Echo') effect('hook:post');
});

df.app.activity('Echo', {
  handler: (input: unknown, context: InvocationContext) => {
    context.log(`echo ${JSON.stringify(input)}`);
    effect(`Echo ${JSON.stringify(input)}`);
    return input;
  },
});
df.app.activity('Nothing', { handler: () => undefined });
df.app.activity('Held', {
  handler: async () => {
    effect('Held');
    await gate.open;
  },
});
const failures = new Map<string, number>();
df.app.activity('FailTwice', {
  handler: (key: string) => {
    const failed = failures.get(key) ?? 0;
    failures.set(key, failed + 1);
    effect(`FailTwice ${key}`);
    if (failed < 2) throw new Error('not yet');
    return 'at last';
  },
});
df.app.activity('FailAlways', {
  handler: (key: string) => {
    effect(`FailAlways ${key}`);
    throw new Error('never');
  },
});

df.app.orchestration('clip', function* (context) {
  const { clip } = context.df.getInput<{ clip: string }>() ?? { clip: '' };
  try {
    context.df.setCustomStatus({ step: 'asking' });
    yield context.df.callActivityWithRetry('Echo', retry(3), { ask: clip });
    const judged = context.df.waitForExternalEvent('JUDGED');
    const tooLate = context.df.createTimer(inMs(context, 6 * MINUTE_MS));
    const first = (yield context.df.Task.any([judged, tooLate])) as df.Task;
    if (first === tooLate) {
      yield context.df.callActivity('Echo', { escalate: clip });
      return { ok: false, reason: 'too late' };
    }
    tooLate.cancel();
    context.df.setCustomStatus({ step: 'judged' });
    yield context.df.callActivity('Echo', { complete: clip });
    return { ok: true, verdict: judged.result };
  } catch (error) {
    yield context.df.callActivity('Echo', { failed: clip });
    return { ok: false, reason: (error as Error).message.split('\n')[0] };
  }
});
df.app.orchestration('forgets-timer', function* (context) {
  const event = context.df.waitForExternalEvent('GO');
  yield context.df.Task.any([event, context.df.createTimer(inMs(context, 6 * MINUTE_MS))]);
  return 'done';
});
df.app.orchestration('catches', function* (context) {
  try {
    yield context.df.callActivity('FailAlways', 'caught');
  } catch (error) {
    yield context.df.callActivity('Echo', { notify: (error as Error).message.includes('never') });
    return 'notified';
  }
  return 'not reached';
});
df.app.orchestration('retries', function* (context) {
  const key = context.df.getInput<string>() ?? '';
  return (yield context.df.callActivityWithRetry('FailTwice', retry(3), key)) as string;
});
df.app.orchestration('gives-up', function* (context) {
  yield context.df.callActivityWithRetry('FailAlways', retry(3), 'gives-up');
});
df.app.orchestration('holds', function* (context) {
  yield context.df.callActivity('Held');
});
df.app.orchestration('twenty-days', function* (context) {
  yield context.df.createTimer(inMs(context, 20 * DAY_MS));
  return context.df.currentUtcDateTime.toISOString();
});
df.app.orchestration('monitor', function* (context) {
  const { round } = context.df.getInput<{ round: number }>() ?? { round: 0 };
  yield context.df.callActivity('Echo', { round });
  yield context.df.createTimer(inMs(context, MINUTE_MS));
  if (round < 50) context.df.continueAsNew({ round: round + 1 });
  return { rounds: round };
});
df.app.orchestration('child', function* (context) {
  const n = context.df.getInput<number>() ?? 0;
  if (n < 0) throw new Error(`${n} is negative`);
  return (yield context.df.callActivity('Echo', n * 10)) as number;
});
df.app.orchestration('fan-out', function* (context) {
  const inputs = context.df.getInput<number[]>() ?? [];
  return (yield context.df.Task.all(
    inputs.map((n) => context.df.callSubOrchestrator('child', n)),
  )) as number[];
});
df.app.orchestration('named-child', function* (context) {
  return (yield context.df.callSubOrchestrator('child', 7, 'my-child')) as number;
});
df.app.orchestration('two-waiters', function* (context) {
  const first = context.df.waitForExternalEvent('X');
  const second = context.df.waitForExternalEvent('X');
  yield context.df.Task.all([first, second]);
  return [first.result, second.result];
});
df.app.orchestration('waits-late', function* (context) {
  yield context.df.createTimer(inMs(context, MINUTE_MS));
  return (yield context.df.waitForExternalEvent('EARLY')) as unknown;
});
df.app.orchestration('drops-events', function* (context) {
  const round = context.df.getInput<number>() ?? 0;
  if (round === 1) return (yield context.df.waitForExternalEvent('EARLY')) as unknown;
  yield context.df.createTimer(inMs(context, MINUTE_MS));
  context.df.continueAsNew(1);
  return undefined;
});
df.app.orchestration('changes', function* (context) {
  if (deployed.extraActivity) yield context.df.callActivity('Nothing');
  yield context.df.callActivity('Echo', 'first');
  yield context.df.waitForExternalEvent('GO');
  yield context.df.callActivity('Echo', 'second');
  return 'done';
});
df.app.orchestration('yields-a-task-twice', function* (context) {
  const slow = context.df.callActivity('Echo', 'slow');
  const first = context.df.waitForExternalEvent('A');
  yield context.df.Task.any([slow, first]);
  yield context.df.Task.any([slow, context.df.waitForExternalEvent('B')]);
  return 'done';
});
df.app.orchestration('values', function* (context) {
  const values = [];
  for (const value of ['text', '5', '', 5, 1.5, true, null, { a: [1] }, 'ünïcode "quoted"'])
    values.push((yield context.df.callActivity('Echo', value)) as unknown);
  values.push((yield context.df.callActivity('Nothing')) as unknown);
  return values;
});
df.app.orchestration('uses-entity', function* (context) {
  yield context.df.callEntity(new df.EntityId('Counter', 'a'), 'add', 1);
});
df.app.orchestration('calls-unknown', function* (context) {
  yield context.df.callActivity('NoSuchActivity');
});
df.app.orchestration('chain', function* (context) {
  const key = context.df.getInput<string>() ?? '';
  for (const step of [1, 2, 3, 4]) {
    yield context.df.callActivity('Echo', `${key}/${step}`);
    yield context.df.createTimer(inMs(context, 5));
  }
  const parts = (yield context.df.Task.all(
    [1, 2, 3].map((n) => context.df.callSubOrchestrator('child', n)),
  )) as number[];
  return [key, parts];
});

df.app.client.http('Start', {
  route: 'start/{name}/{id?}',
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request, client) => {
    const text = await request.text();
    const id = await client.startNew(request.params['name'] ?? '', {
      ...(request.params['id'] ? { instanceId: request.params['id'] } : {}),
      ...(text === '' ? {} : { input: JSON.parse(text) as unknown }),
    });
    return client.createCheckStatusResponse(request, id);
  },
});
df.app.client.http('Client', {
  route: 'client/{id}/{verb}',
  methods: ['POST'],
  handler: async (request, client) => {
    const { id = '', verb } = request.params;
    if (verb === 'raise') await client.raiseEvent(id, request.query.get('event') ?? '', await request.json());
    else if (verb === 'terminate') await client.terminate(id, 'asked to');
    else if (verb === 'purge') return { jsonBody: await client.purgeInstanceHistory(id) };
    else return { jsonBody: await client.getStatus(id) };
    return { status: 200, cookies: [{ name: 'seen', value: 'a b' }] };
  },
});
app.http('Files', { route: 'files/{*path}', handler: (request) => ({ jsonBody: request.params }) });
app.http('Admin', { authLevel: 'admin', methods: ['GET'], handler: () => ({ body: 'secret' }) });
app.http('Breaks', { methods: ['GET'], handler: () => Promise.reject(new Error('broken')) });
df.app.client.eventGrid('OnBlob', {
  handler: async (event, client) => {
    if (event.subject.endsWith('refuse')) throw new Error('refused');
    const id = `blob-${event.id}`;
    effect(`OnBlob ${event.id}`);
    const running = await client.getStatus(id).catch(() => undefined);
    if (running === undefined)
      await client.startNew('clip', { instanceId: id, input: { clip: event.subject } });
  },
});
