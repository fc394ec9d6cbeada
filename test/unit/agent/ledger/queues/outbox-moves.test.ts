import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { benchLedger, uploadNext, verdictFor, writeClip } from '../bench.ts';
import { events, link, told } from './outbox-bench.ts';

test('every way of a clip is told, once a move, by the move itself', async (t) => {
  const bench = benchLedger(t);
  const { ledger } = bench;
  const clip = bench.sealed(1_000);
  const written = { ...clip, startedMs: 0, preRollMs: 0, durationMs: 1, bytes: 1_000, sha256: clip.sha256! };
  ledger.sealClip(clip.clipId, written);
  const late = ledger.leaseNext()!;
  ledger.settleFailed(late, 'storage is away', 0);
  assert.equal(ledger.settleUploaded(late, 'https://storage/late'), false);
  uploadNext(ledger);
  ledger.applyVerdict(verdictFor(clip.clipId));
  const second = bench.open();
  ledger.loseClip(second.clipId, 'the camera went away');
  const parked = bench.sealed(500, 'yard');
  ledger.settleParked(ledger.leaseNext()!, 'refused');
  await ledger.returnToQueue(parked.clipId, 'try again');
  uploadNext(ledger);
  await ledger.returnToQueue(parked.clipId, 'the blob is gone');
  const asked = ledger.leaseNext()!;
  ledger.noteNotInStorage(asked, 'storage does not have it');
  ledger.settleFailed(asked, 'its file cannot be read', 0);
  rmSync(parked.file);
  await ledger.check({ repair: true });
  const blobUrl = (name: string) => `https://storage/${name}`;
  assert.deepEqual(
    told(ledger).map(({ event, data }) => [event, data]),
    [
      [
        'clip.sealed',
        {
          clipId: clip.clipId,
          cameraId: 'gate',
          triggeredUtc: '2026-06-01T12:00:00.000Z',
          durationMs: 30_000,
          bytes: 1_000,
        },
      ],
      [
        'clip.uploaded',
        { clipId: clip.clipId, cameraId: 'gate', blobUrl: blobUrl(clip.blobName), attempt: 2 },
      ],
      ['clip.lost', { clipId: second.clipId, cameraId: 'gate', reason: 'the camera went away' }],
      [
        'clip.sealed',
        {
          clipId: parked.clipId,
          cameraId: 'yard',
          triggeredUtc: '2026-06-01T12:00:00.000Z',
          durationMs: 30_000,
          bytes: 500,
        },
      ],
      [
        'clip.uploaded',
        { clipId: parked.clipId, cameraId: 'yard', blobUrl: blobUrl(parked.blobName), attempt: 2 },
      ],
      ['clip.lost', { clipId: parked.clipId, cameraId: 'yard', reason: 'its file was missing at check' }],
    ],
  );
});

test('what the budget gives up is told as lost; a file that goes after its upload is not', (t) => {
  const { ledger, sealed } = benchLedger(t, { maxBytes: 40_000 });
  sealed(10_000);
  uploadNext(ledger);
  const unsent = Array.from({ length: 5 }, () => sealed(10_000));
  const lost = told(ledger).filter(({ event }) => event === 'clip.lost');
  assert.deepEqual(
    lost.map(({ data }) => data),
    [{ clipId: unsent[0]!.clipId, cameraId: 'gate', reason: 'file removed: byte budget' }],
  );
});

test('a torn clip is told as sealed when it was put right, as lost when nothing was left of it or it was set aside', async (t) => {
  const broken = new Set<string>();
  const bench = benchLedger(t, {
    recoverTorn: async (file) => {
      if (broken.has(file)) throw new Error('not a clip at all');
      return file.includes('whole') ? { durationMs: 1_500, bytes: 700, sha256: 'a'.repeat(64) } : undefined;
    },
  });
  const whole = bench.open('whole');
  writeClip(whole.partFile, 700);
  const empty = bench.open('empty');
  writeFileSync(empty.partFile, '');
  const bad = bench.open('bad');
  writeFileSync(bad.partFile, 'garbage');
  broken.add(bad.partFile);
  for (let start = 0; start < 4; start++) await bench.reopen().check({ repair: true });
  const outcome = new Map(told(bench.ledger).map(({ event, data }) => [data['clipId'], event]));
  assert.equal(told(bench.ledger).length, 3, 'once each');
  assert.equal(outcome.get(whole.clipId), 'clip.sealed');
  assert.equal(outcome.get(empty.clipId), 'clip.lost');
  assert.equal(outcome.get(bad.clipId), 'clip.lost');
});

test('a move that does not happen tells nothing, and does not wake the sender', (t) => {
  let woken = 0;
  const { ledger, sealed, open } = benchLedger(t, { onEvent: () => woken++ });
  const clip = sealed();
  assert.equal(woken, 1);
  assert.throws(() => ledger.loseClip(clip.clipId.replace(/.$/, '~'), 'no such clip'));
  uploadNext(ledger);
  ledger.applyVerdict(verdictFor(clip.clipId));
  assert.equal(woken, 2);
  assert.throws(() => ledger.loseClip(clip.clipId, 'judged clips are not lost'));
  const other = open();
  assert.throws(() =>
    ledger.sealClip(other.clipId, { startedMs: 0, preRollMs: 0, durationMs: 1, bytes: 9, sha256: 'x' }),
  );
  assert.equal(woken, 2);
  assert.deepEqual(events(ledger), ['clip.sealed', 'clip.uploaded']);
});

test('an event that cannot be written takes the move of its clip back', (t) => {
  const bench = benchLedger(t, { clockQuality: () => assert.fail('no clock today') });
  const clip = bench.open();
  assert.throws(() => bench.ledger.loseClip(clip.clipId, 'the camera went away'));
  assert.equal(bench.ledger.clip(clip.clipId)?.state, 'recording');
  assert.deepEqual(events(bench.ledger), []);
});

test('the sender is woken after the commit: it finds the event from another connection', (t) => {
  const seen: number[] = [];
  const bench = benchLedger(t, {
    onEvent: () => {
      const db = new Sqlite(ledgerFile(bench.dir), { readonly: true });
      seen.push(db.prepare<[], number>('SELECT count(*) FROM outbox').pluck().get() ?? 0);
      db.close();
    },
  });
  bench.ledger.tell('link.state', link('cable'));
  bench.sealed();
  assert.deepEqual(seen, [1, 2]);
});
