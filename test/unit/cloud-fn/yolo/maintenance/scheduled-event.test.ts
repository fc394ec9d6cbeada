import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concerns,
  reactionTo,
  readEventDocument,
} from '../../../../../cloud-fn/yolo/maintenance/scheduled-event.ts';

const EVENT = {
  EventId: 'C7061BAC-AFDC-4513-B24B-AA5F13A16123',
  EventType: 'Freeze',
  ResourceType: 'VirtualMachine',
  Resources: ['WestNO_0', 'WestNO_1'],
  EventStatus: 'Scheduled',
  NotBefore: 'Mon, 11 Apr 2022 22:26:58 GMT',
  Description: 'the machine is paused because of a memory-preserving live migration',
  EventSource: 'Platform',
  DurationInSeconds: 5,
};
const read = (...events: unknown[]) =>
  readEventDocument(JSON.stringify({ DocumentIncarnation: 7, Events: events })).events;

test('what is done about an event depends on its kind, its length and who asked for it', () => {
  const table = [
    [{ EventType: 'Preempt' }, 'leave'],
    [{ EventType: 'Terminate', EventSource: 'User' }, 'leave'],
    [{ EventType: 'Reboot', DurationInSeconds: -1 }, 'leave'],
    [{ EventType: 'Reboot', EventSource: 'User' }, 'leave'],
    [{ EventType: 'Redeploy' }, 'leave'],
    [{ EventType: 'Freeze', DurationInSeconds: 5 }, 'approve'],
    [{ EventType: 'Freeze', DurationInSeconds: 0 }, 'approve'],
    [{ EventType: 'Freeze', DurationInSeconds: 9 }, 'log'],
    [{ EventType: 'Freeze', DurationInSeconds: -1 }, 'log'],
    [{ EventType: 'Freeze', DurationInSeconds: null }, 'log'],
    [{ EventType: 'Freeze', DurationInSeconds: 60, EventSource: 'User' }, 'approve'],
    [{ EventType: 'SomethingNew' }, 'log'],
    [{ EventType: 'SomethingNew', EventSource: 'User' }, 'approve'],
  ] as const;
  for (const [change, reaction] of table) {
    const [event] = read({ ...EVENT, ...change });
    assert.ok(event, JSON.stringify(change));
    assert.equal(reactionTo(event), reaction, JSON.stringify(change));
  }
});

test('an event concerns the machines that it names, in whatever letters', () => {
  const [event] = read({ ...EVENT, Resources: ['WestNO_0', '_frontend_1'] });
  assert.ok(event);
  assert.ok(concerns(event, 'westno_0'));
  assert.ok(concerns(event, 'FrontEnd_1'));
  assert.ok(!concerns(event, 'WestNO_'));
  assert.ok(!concerns(event, 'WestNO_01'));
});

test('an empty document is one without events', () => {
  assert.deepEqual(readEventDocument('{"DocumentIncarnation": 1, "Events": []}'), {
    incarnation: 1,
    events: [],
  });
});

test('an event that cannot be read does not hide the others', () => {
  const odd = [null, 'text', {}, { ...EVENT, EventId: 7 }, { ...EVENT, EventStatus: 'Perhaps' }];
  const [event, ...more] = read(...odd, { ...EVENT, Resources: 'all' }, EVENT);
  assert.equal(event?.id, EVENT.EventId);
  assert.deepEqual(more, []);
});

test('what is no such document is refused in one sentence', () => {
  const wrong = [
    ['', /is not JSON/],
    ['<html>', /is not JSON/],
    ['null', /lacks DocumentIncarnation or Events/],
    ['{}', /lacks/],
    ['{"DocumentIncarnation": "many", "Events": []}', /lacks/],
    ['{"DocumentIncarnation": 1, "Events": {}}', /lacks/],
    [JSON.stringify({ DocumentIncarnation: 1, Events: Array(1_001).fill(EVENT) }), /more than 1000 events/],
  ] as const;
  for (const [text, message] of wrong)
    assert.throws(() => readEventDocument(text), message, text.slice(0, 80));
});
