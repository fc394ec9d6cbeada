/** Orchestrations about what arrives at an odd moment. */
import df, { type OrchestrationContext, type OrchestrationHandler } from 'durable-functions';

const define = (name: string, handler: OrchestrationHandler) => df.app.orchestration(name, handler);
const inMs = (context: OrchestrationContext, ms: number) =>
  new Date(context.df.currentUtcDateTime.getTime() + ms);

/** The event may be there before the race for it begins; what follows is an activity. */
define('race-after-rest', function* (context) {
  const { restMs, raceMs } = context.df.getInput<{ restMs: number; raceMs: number }>() ?? {
    restMs: 3000,
    raceMs: 60_000,
  };
  const event = context.df.waitForExternalEvent('go');
  yield context.df.callActivity('slow', { ms: restMs, value: 'rested' });
  const timer = context.df.createTimer(inMs(context, raceMs));
  const first = (yield context.df.Task.any([event, timer])) as typeof event;
  if (!timer.isCompleted) timer.cancel();
  const said = (yield context.df.callActivity('say', first === event ? 'in time' : 'too late')) as string;
  return { said, data: event.isCompleted ? event.result : 'none' };
});

/** As above, with the waiter made only when the race begins; two rounds of it. */
define('races-after-rest', function* (context) {
  const said = [];
  for (const name of ['a', 'b']) {
    yield context.df.callActivity('slow', { ms: 3000, value: 'rested' });
    const event = context.df.waitForExternalEvent(name);
    const timer = context.df.createTimer(inMs(context, 60_000));
    const first = (yield context.df.Task.any([event, timer])) as typeof event;
    if (!timer.isCompleted) timer.cancel();
    said.push((yield context.df.callActivity('say', first === event ? event.result : 'too late')) as string);
  }
  return said;
});
