import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileUploadNotification, FileUploadTicket } from '@dachawatch/contracts';
import type { UploadTickets } from '../../../../agent/hub/hub.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createTickets, DONE, ONLY_READ } from '../../../../agent/upload/tickets.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createFakeUploadTickets } from '../../../fakes/upload-tickets.ts';
import { DEVICE, until } from './bench.ts';

function bench(ticketMs = 60_000, hub: UploadTickets = createFakeUploadTickets({ deviceId: DEVICE })) {
  const clock = createFakeClock();
  const lines: string[] = [];
  const log = createLog('debug', (line) => lines.push(line));
  const tickets = createTickets({ hub, clock, log, deviceId: DEVICE, ticketMs, random: () => 0.5 });
  return { tickets, clock, lines };
}

const living = () => new AbortController().signal;
const code = (wanted: string) => (error: unknown) => error instanceof Failure && error.code === wanted;

/** Work that goes on until it is let go. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

test('four tickets are open at most; whoever waits for one gets the next, in the order of asking', async () => {
  const hub = createFakeUploadTickets({ deviceId: DEVICE });
  const { tickets } = bench(60_000, hub);
  const gates = Array.from({ length: 7 }, gate);
  const began: number[] = [];
  const all = gates.map(({ promise }, n) =>
    tickets.use(`clip-${n}`, DONE, living(), async () => {
      began.push(n);
      await promise;
    }),
  );
  await until(() => began.length === 4, 'four at work');
  assert.deepEqual(began, [0, 1, 2, 3]);
  assert.equal(hub.asked.length, 4);
  gates[2]!.open();
  await until(() => began.length === 5, 'the fifth has begun');
  gates[0]!.open();
  await until(() => began.length === 6, 'the sixth has begun');
  assert.deepEqual(began, [0, 1, 2, 3, 4, 5]);
  assert.equal(hub.open().length, 4);
  for (const one of gates) one.open();
  await Promise.all(all);
  assert.deepEqual(hub.open(), []);
  // All places are free again.
  const again = gate();
  let inside = 0;
  const more = Array.from({ length: 5 }, (_, n) =>
    tickets.use(`again-${n}`, DONE, living(), async () => {
      inside += 1;
      await again.promise;
    }),
  );
  await until(() => inside === 4, 'four at work again');
  assert.equal(hub.open().length, 4);
  again.open();
  await Promise.all(more);
});

test('sixty-four may wait for a ticket; the next one is told so at once, and who gives up makes room', async () => {
  const { tickets } = bench();
  const hold = gate();
  const work = () => hold.promise;
  const inside = Array.from({ length: 4 }, (_, n) => tickets.use(`in-${n}`, DONE, living(), work));
  const impatient = new AbortController();
  const leaves = tickets.use('leaves', DONE, impatient.signal, work);
  const waiting = Array.from({ length: 63 }, (_, n) => tickets.use(`wait-${n}`, DONE, living(), work));
  await assert.rejects(tickets.use('too many', DONE, living(), work), code('upload.tickets-busy'));
  impatient.abort(new Error('given up'));
  await assert.rejects(leaves, /given up/);
  waiting.push(tickets.use('takes its place', DONE, living(), work));
  await assert.rejects(tickets.use('too many', DONE, living(), work), code('upload.tickets-busy'));
  hold.open();
  await Promise.all([...inside, ...waiting]);
});

test('who has given up already asks for no ticket', async () => {
  const hub = createFakeUploadTickets({ deviceId: DEVICE });
  const { tickets } = bench(60_000, hub);
  await assert.rejects(
    tickets.use('clip', DONE, AbortSignal.abort(new Error('given up')), async () => undefined),
    /given up/,
  );
  assert.deepEqual(hub.asked, []);
});

test('the hub is told what came of the ticket: done, only read, the status of a failure, or 500', async () => {
  const hub = createFakeUploadTickets({ deviceId: DEVICE });
  const { tickets } = bench(60_000, hub);
  const fail = (failure: Error) => () => Promise.reject(failure);
  await tickets.use('a', DONE, living(), async () => undefined);
  await tickets.use('b', ONLY_READ, living(), async () => undefined);
  await assert.rejects(
    tickets.use('c', DONE, living(), fail(new Failure('transient', 'upload.head.http-403', 'no'))),
    code('upload.head.http-403'),
  );
  await assert.rejects(tickets.use('d', DONE, living(), fail(new Error('odd'))), code('upload.unknown'));
  const { isSuccess: yes, ...done } = DONE;
  assert.ok(yes && !ONLY_READ.isSuccess);
  assert.deepEqual(
    hub.returned.map(({ isSuccess, statusCode, statusDescription }) => [
      isSuccess,
      statusCode,
      statusDescription,
    ]),
    [
      [true, done.statusCode, done.statusDescription],
      [false, 200, 'read only'],
      [false, 403, 'upload.head.http-403'],
      [false, 500, 'upload.unknown'],
    ],
  );
});

/** A hub whose tickets come when they are let go. */
function slowDesk() {
  const given: { ticket: FileUploadTicket; give: () => void; refuse: (error: Error) => void }[] = [];
  const returned: (FileUploadNotification & { id: string })[] = [];
  let onReturn: (() => Promise<void>) | undefined;
  const hub: UploadTickets = {
    requestTicket(name) {
      const { promise, resolve, reject } = Promise.withResolvers<FileUploadTicket>();
      const ticket = {
        correlationId: `t${given.length}`,
        hostName: 'storage.invalid',
        containerName: 'clips',
        blobName: `${DEVICE}/${name}`,
        sasToken: '?sig=1',
      };
      given.push({ ticket, give: () => resolve(ticket), refuse: reject });
      return promise;
    },
    async returnTicket(id, outcome) {
      await onReturn?.();
      returned.push({ ...outcome, id });
    },
  };
  return {
    hub,
    given,
    returned,
    onReturn(what: () => Promise<void>) {
      onReturn = what;
    },
  };
}

test('a ticket that comes after its deadline is given back unused, and its place is free meanwhile', async () => {
  const slow = slowDesk();
  const { tickets } = bench(20, slow.hub);
  let used = 0;
  const use = (name: string) =>
    tickets.use(name, DONE, living(), async () => {
      used += 1;
    });
  const late = Array.from({ length: 4 }, (_, n) => use(`late-${n}`));
  for (const one of late) await assert.rejects(one, code('upload.ticket-late'));
  assert.equal(used, 0);
  const next = use('next');
  await until(() => slow.given.length === 5, 'the next one asked');
  slow.given[4]!.give();
  await next;
  assert.equal(used, 1);
  for (const { give } of slow.given.slice(0, 4)) give();
  await until(() => slow.returned.length === 5, 'the late ones are back');
  assert.deepEqual(
    slow.returned.slice(1).map(({ isSuccess, statusCode, statusDescription }) => ({
      isSuccess,
      statusCode,
      statusDescription,
    })),
    Array.from({ length: 4 }, () => ({
      isSuccess: false,
      statusCode: 408,
      statusDescription: 'upload.ticket-late',
    })),
  );
  assert.equal(used, 1, 'a late ticket is not used');
});

test('a refusal that comes after its deadline disturbs nobody', async () => {
  const slow = slowDesk();
  const { tickets } = bench(20, slow.hub);
  await assert.rejects(
    tickets.use('late', DONE, living(), async () => undefined),
    code('upload.ticket-late'),
  );
  slow.given[0]!.refuse(new Error('no ticket after all'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(slow.returned, []);
});

test('who gives up while a ticket is on its way does not wait for it; it is given back when it comes', async () => {
  const slow = slowDesk();
  const { tickets } = bench(600_000, slow.hub);
  const impatient = new AbortController();
  const asked = tickets.use('clip', DONE, impatient.signal, async () => undefined);
  await until(() => slow.given.length === 1, 'asked');
  impatient.abort(new Failure('transient', 'test.given-up', 'given up'));
  await assert.rejects(asked, code('test.given-up'));
  slow.given[0]!.give();
  await until(() => slow.returned.length === 1, 'given back');
  assert.equal(slow.returned[0]?.statusCode, 408);
});

test('giving a ticket back is tried three times, with growing waits, and then told with its code', async () => {
  const slow = slowDesk();
  const { tickets, clock, lines } = bench(600_000, slow.hub);
  let tries = 0;
  slow.onReturn(() => {
    tries += 1;
    return Promise.reject(new Failure('transient', 'hub.http-500', 'hub away'));
  });
  const used = tickets.use('clip', DONE, living(), async () => 'done');
  await until(() => slow.given.length === 1, 'asked');
  slow.given[0]!.give();
  for (const [n, waitMs] of [1_000, 2_000].entries()) {
    await until(() => tries === n + 1 && clock.sleepers() === 1, `try ${n + 1}`);
    await clock.advance(waitMs - 1);
    assert.equal(tries, n + 1, 'not before its time');
    await clock.advance(1);
  }
  assert.equal(await used, 'done', 'the work counts all the same');
  assert.equal(tries, 3);
  assert.equal(lines.filter((line) => line.includes('upload.ticket-kept')).length, 1);
  assert.match(lines.join('\n'), /hub\.http-500/);
});

test('a ticket that the hub does not know any more is not offered again', async () => {
  const slow = slowDesk();
  const { tickets, lines } = bench(600_000, slow.hub);
  let tries = 0;
  slow.onReturn(() => {
    tries += 1;
    return Promise.reject(new Failure('rejected', 'hub.http-400', 'unknown ticket'));
  });
  const used = tickets.use('clip', DONE, living(), async () => 'done');
  await until(() => slow.given.length === 1, 'asked');
  slow.given[0]!.give();
  assert.equal(await used, 'done');
  assert.equal(tries, 1);
  assert.equal(lines.filter((line) => line.includes('upload.ticket-kept')).length, 1);
});

test('a process that stops offers a ticket once and goes', async () => {
  const slow = slowDesk();
  const { tickets } = bench(600_000, slow.hub);
  const stop = new AbortController();
  let tries = 0;
  slow.onReturn(() => {
    tries += 1;
    return Promise.reject(new Failure('transient', 'hub.http-500', 'hub away'));
  });
  const used = tickets.use('clip', DONE, stop.signal, () => {
    stop.abort(new Error('the agent stops'));
    return Promise.reject(new Error('the agent stops'));
  });
  await until(() => slow.given.length === 1, 'asked');
  slow.given[0]!.give();
  await assert.rejects(used, /the agent stops/);
  assert.equal(tries, 1);
});

test('a hub that does not answer when a ticket is given back holds nobody for longer than a ticket may take', async () => {
  const slow = slowDesk();
  const { tickets, clock, lines } = bench(20, slow.hub);
  slow.onReturn(() => new Promise(() => undefined));
  const used = tickets.use('clip', DONE, living(), async () => 'done');
  await until(() => slow.given.length === 1, 'asked');
  slow.given[0]!.give();
  let isDone = false;
  void used.then(() => (isDone = true));
  await until(() => {
    if (clock.sleepers() > 0) void clock.advance(10_000);
    return isDone;
  }, 'three tries are over');
  assert.match(lines.join('\n'), /upload\.ticket-return-late/);
});
