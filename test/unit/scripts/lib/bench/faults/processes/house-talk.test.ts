import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  HouseOrder,
  HouseReport,
} from '../../../../../../../scripts/lib/bench/faults/processes/house.ts';
import { createHouseTalk } from '../../../../../../../scripts/lib/bench/faults/processes/house-talk.ts';

/** A house that answers each order at once, as it is told to. */
function talkWith(answer: (order: HouseOrder) => HouseReport | undefined) {
  let listener: (message: unknown) => void = () => undefined;
  let alive = true;
  const talk = createHouseTalk({
    house: {
      send(message) {
        const report = answer(message as HouseOrder);
        if (report) listener(report);
      },
      alive: () => alive,
      words: () => 'the end of its log',
    },
    onHouse: (one) => {
      listener = one;
    },
  });
  return { talk, say: (report: HouseReport) => listener(report), die: () => (alive = false) };
}

test('it is still when every camera that moved has said so', () => {
  const { talk, say } = talkWith(() => undefined);
  talk.move('gate', 3);
  talk.move('yard', 1);
  say({ still: 'gate' });
  assert.equal(talk.isStill(), false);
  say({ still: 'yard' });
  assert.equal(talk.isStill(), true);
});

test('a house that is down moves no more', () => {
  const { talk, die } = talkWith(() => undefined);
  talk.move('gate', 3);
  die();
  assert.equal(talk.isStill(), true);
});

test('a ledger that cannot be used is no answer, and says why', async () => {
  const { talk } = talkWith((order) => (order.do === 'tell' ? { closed: 'its disk is full' } : undefined));
  assert.equal(await talk.ask([]), undefined);
  assert.equal(talk.whyNot(), 'its disk is full');
});

test('what it says of its clips is the answer', async () => {
  const { talk } = talkWith((order) => (order.do === 'tell' ? { clips: [], recording: false } : undefined));
  assert.deepEqual(await talk.ask(['a']), { clips: [], recording: false });
  assert.equal(talk.whyNot(), 'the end of its log');
});
