import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  runEpisode,
  type EpisodeInput,
  type OrchestrationTrigger,
} from '../../../../../../cloud-fn/local/functions-host/engine/episode.ts';
import {
  ACTION,
  EVENT,
  iso,
  OUT_OF_PROC_LABEL,
  type Action,
  type HistoryEvent,
  type OrchestratorState,
} from '../../../../../../cloud-fn/local/functions-host/engine/wire.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const begun: HistoryEvent = {
  EventType: EVENT.executionStarted,
  EventId: -1,
  Timestamp: iso(NOW_MS - 5),
  Name: 'main',
  Input: '{"i":1}',
};
const done: HistoryEvent = {
  EventType: EVENT.taskCompleted,
  EventId: -1,
  Timestamp: iso(NOW_MS),
  TaskScheduledId: 0,
  Result: '1',
};
const started = (ms = NOW_MS): HistoryEvent => ({
  EventType: EVENT.orchestratorStarted,
  EventId: -1,
  Timestamp: iso(ms),
});
const completed: HistoryEvent = {
  EventType: EVENT.orchestratorCompleted,
  EventId: -1,
  Timestamp: iso(NOW_MS),
};
const echo: Action = { actionType: ACTION.callActivity, functionName: 'Echo', input: 5 };
const scheduledEcho: HistoryEvent = {
  EventType: EVENT.taskScheduled,
  EventId: 0,
  Timestamp: iso(NOW_MS),
  Name: 'Echo',
};

const state = (wants: readonly Action[], more: Partial<OrchestratorState> = {}): OrchestratorState => ({
  isDone: false,
  actions: [wants],
  ...more,
});
const episode = (answer: OrchestratorState | Error | string, more: Partial<EpisodeInput> = {}) => {
  const triggers: OrchestrationTrigger[] = [];
  const ran = runEpisode({
    instanceId: 'a',
    executionId: 'e',
    name: 'main',
    parentInstanceId: 'p',
    history: [],
    arrived: [begun],
    nowMs: NOW_MS,
    run: async (trigger) => {
      triggers.push(structuredClone(trigger));
      for (const event of trigger.history) Object.assign(event, { Timestamp: 'changed by the library' });
      // oxlint-disable-next-line only-throw-error -- a function of others may
      if (answer instanceof Error || typeof answer === 'string') throw answer;
      return answer;
    },
    ...more,
  });
  return ran.then((result) => ({ ...result, trigger: triggers[0] ?? assert.fail() }));
};
const ended = (OrchestrationStatus: 'Completed' | 'Failed', Result: string): HistoryEvent => ({
  EventType: EVENT.executionCompleted,
  EventId: -1,
  Timestamp: iso(NOW_MS),
  OrchestrationStatus,
  Result,
});
/** How a throwing orchestrator tells: its state behind its message. */
const thrown = (told: OrchestratorState, message = 'broken') =>
  new Error(`${message}${OUT_OF_PROC_LABEL}${JSON.stringify(told)}`);

test('a first look: nothing is replayed, what is wanted is scheduled and written down', async () => {
  const { trigger, ...result } = await episode(state([echo], { customStatus: { step: 1 } }));
  assert.deepEqual(
    [trigger.input, trigger.instanceId, trigger.parentInstanceId, trigger.isReplaying],
    [{ i: 1 }, 'a', 'p', false],
  );
  assert.deepEqual(
    trigger.history.map((event) => [event.EventType, event.IsPlayed, event.Timestamp]),
    [started(), begun].map((event) => [event.EventType, false, event.Timestamp]),
  );
  assert.deepEqual(Object.keys(trigger.history[1] ?? {}).slice(0, 4), [
    'OrchestrationInstance',
    'EventType',
    'ParentInstance',
    'Name',
  ]);
  assert.deepEqual(result, {
    appended: [started(), begun, scheduledEcho, completed],
    scheduled: [{ kind: 'activity', id: 0, name: 'Echo', input: 5 }],
    cancelledTimers: [],
    customStatus: '{"step":1}',
    end: { status: 'Running' },
  });
});

test('a later look replays what was, and sees what is new as new', async () => {
  const history = [started(NOW_MS - 5), begun, scheduledEcho];
  const { trigger, ...result } = await episode(state([echo], { isDone: true, output: { o: 1 } }), {
    history,
    arrived: [done],
  });
  assert.equal(trigger.isReplaying, true);
  assert.deepEqual(
    trigger.history.map((event) => event.IsPlayed),
    [false, true, false, false, false],
  );
  assert.deepEqual(result.appended, [started(), done, ended('Completed', '{"o":1}'), completed]);
  assert.deepEqual([result.end, result.customStatus], [{ status: 'Completed', output: '{"o":1}' }, null]);
});

test('a custom status over 16 kB fails the instance and is not kept', async () => {
  const { end, customStatus, scheduled } = await episode(state([echo], { customStatus: 's'.repeat(9000) }));
  assert.match(
    end.status === 'Failed' ? end.reason : '',
    /must not exceed 16 KB. The current payload size is 17 KB/,
  );
  assert.deepEqual([customStatus, scheduled], [null, []]);
});

test('what the framework tells with every look is told', async () => {
  const { trigger } = await episode(state([]));
  const told = trigger as unknown as Record<string, unknown>;
  assert.deepEqual(
    [
      told['upperSchemaVersion'],
      told['upperSchemaVersionNew'],
      told['longRunningTimerIntervalDuration'],
      told['maximumShortTimerDuration'],
      told['defaultHttpAsyncRequestSleepTimeMillseconds'],
    ],
    [1, 3, '3.00:00:00', '6.00:00:00', 30_000],
  );
});

test('an orchestration that has returned is finished when nothing of it is open any more', async () => {
  const returned = state([echo], { isDone: true });
  assert.deepEqual((await episode(returned)).end, { status: 'Running' });
  assert.deepEqual((await episode(state([], { isDone: true }))).end, { status: 'Completed', output: 'null' });
});

test('no input is null', async () => {
  for (const Input of [undefined, null]) {
    const { Input: _, ...bare } = begun;
    const arrived = [Input === null ? { ...bare, Input } : bare];
    assert.equal((await episode(state([]), { arrived })).trigger.input, null);
  }
});

test('one that begins anew does so with its input', async () => {
  const anew = (input?: unknown) => state([{ actionType: ACTION.continueAsNew, input }], { isDone: true });
  assert.deepEqual((await episode(anew({ r: 2 }))).end, { status: 'ContinuedAsNew', input: '{"r":2}' });
  assert.deepEqual((await episode(anew())).end, { status: 'ContinuedAsNew', input: 'null' });
});

test('one that throws has failed with its reason, once what it started has ended', async () => {
  const failureDetails = { ErrorType: 'T', ErrorMessage: 'm' };
  const told = state([], { error: 'the reason', failureDetails, customStatus: 'last words' });
  const failed = await episode(thrown(told));
  assert.deepEqual(failed.end, {
    status: 'Failed',
    reason: "Orchestrator function 'main' failed: the reason",
    failureDetails,
  });
  assert.deepEqual([failed.customStatus, failed.scheduled], ['"last words"', []]);
  const reason = JSON.stringify("Orchestrator function 'main' failed: the reason");
  assert.deepEqual(failed.appended, [started(), begun, ended('Failed', reason), completed]);
  const open = await episode(thrown(state([echo], { error: 'the reason' })));
  assert.deepEqual([open.end.status, open.scheduled.length], ['Running', 1]);
  const nameless = await episode(thrown(state([])));
  assert.deepEqual(nameless.end, { status: 'Failed', reason: "Orchestrator function 'main' failed: broken" });
});

test('one that breaks before it can say anything has failed with what it threw', async () => {
  for (const answer of [new Error('cannot be loaded'), 'cannot be loaded'])
    assert.deepEqual(await episode(answer).then(({ end, scheduled }) => [end, scheduled]), [
      { status: 'Failed', reason: "Orchestrator function 'main' failed: cannot be loaded" },
      [],
    ]);
});

test('one that breaks after it has asked for something looks like changed code, as on Azure', async () => {
  const { end } = await episode('only text', { history: [started(), begun, scheduledEcho], arrived: [done] });
  assert.match(
    end.status === 'Failed' ? end.reason : '',
    /^Non-Deterministic .*hasn't \(yet\?\) scheduled this task/,
  );
});

test('one whose code was changed has failed with what was and is', async () => {
  const { end, scheduled } = await episode(state([echo]), {
    history: [started(), begun, { ...scheduledEcho, Name: 'Other' }],
    arrived: [],
  });
  assert.equal(end.status, 'Failed');
  assert.match(end.status === 'Failed' ? end.reason : '', /^Non-Deterministic .*'Other'/);
  assert.deepEqual(scheduled, []);
});

test('what breaks in the host itself is no failure of the orchestration', async () => {
  await assert.rejects(episode({ isDone: true, actions: [[null as never]] }), TypeError);
});

test('timers and children are written down with when and who', async () => {
  const wants: Action[] = [
    {
      actionType: ACTION.whenAll,
      compoundActions: [
        { actionType: ACTION.createTimer, fireAt: iso(NOW_MS + 9) },
        { actionType: ACTION.callSubOrchestrator, functionName: 'child' },
        { actionType: ACTION.callSubOrchestrator, functionName: 'child', instanceId: 'mine' },
      ],
    },
  ];
  const { appended } = await episode(state(wants));
  const Timestamp = iso(NOW_MS);
  const child = { Timestamp, EventType: EVENT.subOrchestrationCreated, Name: 'child' };
  assert.deepEqual(appended.slice(2, -1), [
    { EventId: 0, Timestamp, EventType: EVENT.timerCreated, FireAt: iso(NOW_MS + 9) },
    { ...child, EventId: 1, InstanceId: 'e:1' },
    { ...child, EventId: 2, InstanceId: 'mine' },
  ]);
});
