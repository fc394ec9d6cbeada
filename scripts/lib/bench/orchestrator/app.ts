/** What `scripts/bench orchestrator` measures with: an orchestration like that of a clip. It asks, waits for an answer or
 *  a time-out, and ends with two more activities. */
import { app } from '@azure/functions';
import df from 'durable-functions';

/** When each instance ended, in ms since 1970. */
const ends = new Map<string, number>();
const WAIT_MS = 3_600_000;

df.app.orchestration('measured', function* (context) {
  context.df.setCustomStatus({ step: 'requesting' });
  yield context.df.callActivity('ask', { clip: context.df.instanceId });
  context.df.setCustomStatus({ step: 'waiting' });
  const answer = context.df.waitForExternalEvent('answer');
  const timer = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + WAIT_MS));
  yield context.df.Task.any([answer, timer]);
  timer.cancel();
  yield context.df.callActivity('store', { clip: context.df.instanceId, answer: answer.result });
  yield context.df.callActivity('end', { clip: context.df.instanceId });
  return { ok: true };
});
df.app.activity('ask', { handler: () => ({ asked: true }) });
df.app.activity('store', { handler: (input: unknown) => input });
df.app.activity('end', {
  handler: ({ clip }: { clip: string }) => {
    ends.set(clip, Date.now());
    return { ended: true };
  },
});
app.http('count', { route: 'count', methods: ['GET'], handler: () => ({ jsonBody: ends.size }) });
app.http('ends', { route: 'ends', methods: ['GET'], handler: () => ({ jsonBody: [...ends] }) });
