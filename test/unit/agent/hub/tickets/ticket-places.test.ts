import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTicketPlaces } from '../../../../../agent/hub/tickets/ticket-places.ts';
import { createFakeClock } from '../../../../fakes/clock.ts';

const HOUR_MS = 3_600_000;

function places() {
  const clock = createFakeClock();
  const kept = new Set<string>();
  const made = createTicketPlaces({
    clock,
    kept: { add: (id) => void kept.add(id), remove: (id) => void kept.delete(id) },
  });
  return { clock, kept, ...made };
}

test('eight tickets may be open, those that are being asked for among them', () => {
  const it = places();
  const asked = [1, 2, 3, 4].map(() => it.take());
  for (const id of ['a', 'b', 'c', 'd']) it.hold(id);
  assert.throws(() => it.take(), { code: 'hub.ticket.busy', kind: 'transient' });
  it.leave(asked[0] as symbol);
  it.leave(it.take());
  it.hold('e');
  assert.throws(() => it.take(), { code: 'hub.ticket.busy' });
  it.forget('a');
  it.take();
  assert.deepEqual([...it.kept], ['b', 'c', 'd', 'e']);
});

test('a ticket that is not given back stops counting when the hub forgets it', async () => {
  const it = places();
  for (let n = 0; n < 8; n++) it.hold(`ticket-${n}`);
  await it.clock.advance(HOUR_MS - 1);
  assert.throws(() => it.take(), { code: 'hub.ticket.busy' });
  assert.equal(it.kept.size, 8);
  await it.clock.advance(1);
  it.take();
  assert.equal(it.kept.size, 0);
});
