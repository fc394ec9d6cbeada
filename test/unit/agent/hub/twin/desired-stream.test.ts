import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredDocument } from '../../../../../agent/hub/hub.ts';
import { createDesiredStream, readTwinDocument } from '../../../../../agent/hub/twin/desired-stream.ts';
import { createLogBook } from '../../../../fakes/log-book.ts';

/** DesiredStream over a hub whose twin the test sets. */
function bench(failing = false) {
  const book = createLogBook();
  const delivered: DesiredDocument[] = [];
  let desired: DesiredDocument = { version: 1, properties: {} };
  let reads = 0;
  const stream = createDesiredStream({
    log: book.log,
    readTwin: async () => {
      reads += 1;
      return { desired, reported: {} };
    },
    deliver: (document) => {
      delivered.push(document);
      if (failing) throw new Error('no room for settings');
    },
  });
  return {
    book,
    stream,
    delivered,
    reads: () => reads,
    hubHas: (version: number, properties: DesiredDocument['properties']) => {
      desired = { version, properties };
    },
    settled: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

test('a push is merged into the version before it and delivered whole', () => {
  const { stream, delivered } = bench();
  stream.read({ version: 4, properties: { a: 1, b: { c: 1, d: 2 } } });
  stream.pushed({ b: { c: null, e: [3] }, $version: 5 });
  stream.pushed({ a: null, $version: 6, $metadata: {} });
  assert.deepEqual(delivered.slice(1), [
    { version: 5, properties: { a: 1, b: { d: 2, e: [3] } } },
    { version: 6, properties: { b: { d: 2, e: [3] } } },
  ]);
});

test('a version is delivered once, and none after a newer one', () => {
  const { stream, delivered, reads } = bench();
  stream.read({ version: 4, properties: { a: 4 } });
  stream.read({ version: 4, properties: { a: 4 } });
  stream.pushed({ a: 3, $version: 3 });
  stream.pushed({ a: 4, $version: 4 });
  stream.read({ version: 2, properties: { a: 2 } });
  assert.deepEqual([delivered.length, reads()], [1, 0]);
});

test('after a gap the twin is read, once for however many pushes', async () => {
  const { stream, delivered, hubHas, reads, settled } = bench();
  stream.read({ version: 1, properties: {} });
  hubHas(9, { a: 9 });
  stream.pushed({ a: 8, $version: 8 });
  stream.pushed({ a: 9, $version: 9 });
  await settled();
  assert.deepEqual(delivered.at(-1), { version: 9, properties: { a: 9 } });
  assert.deepEqual([delivered.length, reads()], [2, 1]);
});

test('a push that comes before the first read is not missed', async () => {
  const { stream, delivered, hubHas, settled } = bench();
  hubHas(7, { a: 7 });
  stream.pushed({ a: 7, $version: 7 });
  stream.read({ version: 6, properties: { a: 6 } });
  await settled();
  assert.deepEqual(
    delivered.map(({ version }) => version),
    [6, 7],
  );
});

test('a push that says nothing sensible makes the twin be read', async () => {
  const { stream, delivered, hubHas, settled } = bench();
  stream.read({ version: 1, properties: {} });
  for (const [index, garbage] of [{}, null, 7, [], { $version: 'two' }, { $version: 1.5 }].entries()) {
    hubHas(index + 2, { index });
    stream.pushed(garbage);
    await settled();
    assert.deepEqual(delivered.at(-1), { version: index + 2, properties: { index } });
  }
});

test('a hub whose reads stay behind its pushes is not asked without end', async () => {
  const { stream, book, hubHas, reads, settled } = bench();
  stream.read({ version: 1, properties: {} });
  hubHas(2, {});
  stream.pushed({ $version: 5 });
  await settled();
  assert.equal(reads(), 3);
  assert.deepEqual(book.events('warn'), ['twin.behind']);
});

test('a desired document that nobody takes is logged and does not stop the next', () => {
  const { stream, book, delivered } = bench(true);
  stream.read({ version: 1, properties: {} });
  stream.pushed({ a: 1, $version: 2 });
  assert.equal(delivered.length, 2);
  assert.deepEqual(book.events('error'), ['twin.desired-failed', 'twin.desired-failed']);
});

test('a twin is told from what is none, and the keys of the hub are left out', () => {
  assert.deepEqual(
    readTwinDocument({ desired: { a: 1, $version: 3, $metadata: {} }, reported: { b: 2, $version: 8 } }),
    { desired: { version: 3, properties: { a: 1 } }, reported: { b: 2 } },
  );
  for (const none of [undefined, null, [], {}, { desired: {}, reported: {} }, { desired: { $version: 1 } }])
    assert.throws(() => readTwinDocument(none), { kind: 'transient', message: /no twin/ });
});
