import assert from 'node:assert/strict';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { createBlobChanges } from '../../../../../cloud-fn/local/storage/blob-changes.ts';

/** A blob as Azurite keeps it. */
const document = (name: string, more: object = {}) =>
  JSON.stringify({
    containerName: 'clips',
    name,
    snapshot: '',
    isCommitted: true,
    persistency: { id: `extent of ${name}`, offset: 0, count: 4 },
    properties: { etag: '"0x1"', contentLength: 4, lastModified: '2026-11-30T10:00:00.000Z' },
    ...more,
  });

function log(kept?: number) {
  const db = new Sqlite(':memory:');
  const changes = createBlobChanges({ db, ...(kept === undefined ? {} : { kept }) });
  return { db, changes, start: changes.end() };
}

test('a blob that is put in one piece is created once, with what a listing would show', () => {
  const { changes, start } = log();
  changes.changed(undefined, document('a.mp4'));
  assert.deepEqual(changes.since('clips', start, 10), {
    cursor: { feed: start.feed, seq: 1 },
    changes: [
      {
        kind: 'created',
        name: 'a.mp4',
        etag: '0x1',
        contentLength: 4,
        contentType: 'application/octet-stream',
        lastModifiedMs: Date.UTC(2026, 10, 30, 10),
        api: 'PutBlob',
      },
    ],
  });
});

test('blocks that wait for their list are no blob; their list makes one, another list makes another', () => {
  const { changes, start } = log();
  const staged = document('a.mp4', { isCommitted: false, persistency: undefined });
  const blocks = (...ids: string[]) =>
    document('a.mp4', {
      persistency: undefined,
      committedBlocksInOrder: ids.map((id) => ({ persistency: { id } })),
    });
  changes.changed(undefined, staged);
  assert.deepEqual(changes.since('clips', start, 10)?.changes, []);
  changes.changed(staged, blocks('1', '2'));
  changes.changed(blocks('1', '2'), blocks('1', '2'));
  changes.changed(blocks('1', '2'), blocks('1', '3'));
  const told = changes.since('clips', start, 10)?.changes ?? [];
  assert.deepEqual(
    told.map(({ kind, api }) => `${kind} ${api}`),
    ['created PutBlockList', 'created PutBlockList'],
  );
});

test('of a blob that is written again, described anew, tagged and deleted each but the tag is told as what it is', () => {
  const { changes, start } = log();
  const properties = (etag: string) => ({
    properties: { etag, contentLength: 4, lastModified: '2026-11-30T10:00:00.000Z' },
  });
  const states = [
    document('a.mp4'),
    // Tags leave the etag as it is.
    document('a.mp4', { blobTags: { TagSet: [] } }),
    document('a.mp4', properties('"0x2"')),
    document('a.mp4', { ...properties('"0x3"'), persistency: { id: 'elsewhere', offset: 0, count: 4 } }),
    document('a.mp4', {
      ...properties('"0x4"'),
      persistency: undefined,
      committedBlocksInOrder: [{ persistency: { id: '1' } }],
    }),
    undefined,
  ];
  for (const [n, now] of states.entries()) changes.changed(states[n - 1], now);
  assert.deepEqual(
    changes.since('clips', start, 10)?.changes.map(({ kind, etag, api }) => `${kind} ${etag} ${api}`),
    [
      'created 0x1 PutBlob',
      'changed 0x2 PutBlob',
      'created 0x3 PutBlob',
      'created 0x4 PutBlockList',
      'deleted 0x4 PutBlockList',
    ],
  );
});

test('a cursor of another log, or of a place where this one never was, is unknown', () => {
  const { changes } = log();
  changes.changed(undefined, document('a.mp4'));
  const end = changes.end();
  for (const cursor of [
    { ...end, feed: 'another' },
    { ...end, seq: end.seq + 1 },
    { ...end, seq: -1 },
  ])
    assert.equal(changes.since('clips', cursor, 1), undefined);
  assert.ok(changes.since('clips', end, 1));
});

test('a snapshot is no blob, and one that goes does not delete the blob', () => {
  const { changes, start } = log();
  const snapshot = document('a.mp4', { snapshot: '2026-11-30T10:00:00.0000000Z' });
  changes.changed(undefined, snapshot);
  changes.changed(snapshot, undefined);
  assert.deepEqual(changes.since('clips', start, 10)?.changes, []);
});

test('a reader gets pages of one container, and goes on behind each without a gap', () => {
  const { changes, start } = log();
  for (let n = 0; n < 7; n++) {
    changes.changed(undefined, document(`${n}.mp4`));
    changes.changed(undefined, document(`${n}.jpg`, { containerName: 'frames' }));
  }
  const names: string[] = [];
  let cursor = start;
  for (let page = 0; page < 3; page++) {
    const got = changes.since('clips', cursor, 3);
    names.push(...(got?.changes ?? []).map(({ name }) => name));
    cursor = got?.cursor ?? cursor;
  }
  assert.deepEqual(names, ['0.mp4', '1.mp4', '2.mp4', '3.mp4', '4.mp4', '5.mp4', '6.mp4']);
  assert.deepEqual(cursor, changes.end(), 'what happened elsewhere is passed over');
  assert.deepEqual(changes.since('clips', cursor, 3), { cursor, changes: [] });
});

test('the log is bounded; a cursor before what is kept is unknown, the oldest kept one is not', () => {
  const { db, changes, start } = log(1_500);
  db.transaction(() => {
    for (let n = 0; n < 2_000; n++) changes.changed(undefined, document(`${n}.mp4`));
  })();
  assert.equal(db.prepare('SELECT count(*) FROM blob_changes').pluck().get(), 1_500);
  assert.equal(changes.since('clips', start, 1), undefined);
  assert.equal(changes.since('clips', { ...start, seq: 499 }, 1), undefined);
  assert.equal(changes.since('clips', { ...start, seq: 500 }, 1)?.changes[0]?.name, '500.mp4');
});

test('a log keeps its name and its numbers when it is opened again, another database has another name', () => {
  const { db, changes, start } = log();
  changes.changed(undefined, document('a.mp4'));
  assert.deepEqual(createBlobChanges({ db }).end(), { feed: start.feed, seq: 1 });
  assert.notEqual(log().start.feed, start.feed);
});

test('who listens is woken by each commit until it has had enough', () => {
  const { changes } = log();
  let woken = 0;
  const stop = changes.onCommit(() => {
    woken += 1;
  });
  changes.committed();
  stop();
  changes.committed();
  assert.equal(woken, 1);
});
