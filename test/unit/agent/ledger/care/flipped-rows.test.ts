import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { inspectLedger } from '../../../../../agent/ledger/check/inspect.ts';
import { backupFile, ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import { benchLedger, uploadNext, verdictFor } from '../bench.ts';
import {
  change,
  damageBench,
  damagedCopy,
  movedTo,
  openLedger,
  PAGE,
  restore,
  restored,
} from './damage-bench.ts';

/** Flips the lowest bit of the last byte of every place where the text stands. */
function flip(file: string, text: string): void {
  change(file, (bytes) => {
    let places = 0;
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
      const last = at + text.length - 1;
      bytes[last] = bytes[last]! ^ 1;
      places += 1;
    }
    assert.ok(places > 0, `"${text}" stands in the file`);
  });
}

/** Changes rows as a dying card does: without a word to anybody, in content that SQLite takes for whole. */
function damageRows(dir: string, sql: string): void {
  const db = new Sqlite(ledgerFile(dir));
  try {
    db.pragma('trusted_schema = ON');
    db.function('row_checksum', { varargs: true }, () => 1);
    db.function('require_checksum', { varargs: true }, () => null);
    db.exec(sql);
  } finally {
    db.close();
  }
}

test('a bit flipped in the content of a row is noticed at the start, and what it says now is believed nowhere', async (t) => {
  const { dir, clips } = damageBench(t);
  const judged = clips.find(({ state }) => state === 'judged')!;
  const texts = {
    'a checksum': judged.sha256!,
    'a verdict': judged.verdict!.reason,
    'an address': judged.blobUrl!,
    'a line of custody': 'triggered by the bench',
    'a reason': 'it was given up',
  };
  for (const [what, text] of Object.entries(texts)) {
    const copy = damagedCopy(t, dir, (file) => flip(file, text));
    const { finding, now } = await restored(t, copy, movedTo(copy, dir, clips), what);
    assert.equal(finding.state, 'rebuilt', what);
    assert.match('sentence' in finding ? finding.sentence : '', /is not what was written/, what);
    for (const clip of clips) {
      const found = now.get(clip.clipId);
      if (found?.verdict) assert.deepEqual(found.verdict, clip.verdict, what);
      if (found?.blobUrl) assert.equal(found.blobUrl, clip.blobUrl, what);
      if (clip.state !== 'lost') assert.notEqual(found?.state, 'lost', what);
    }
  }
});

test('a row that is damaged is taken from the backup, and custody says so', async (t) => {
  const { dir, clips } = damageBench(t);
  const judged = clips.find(({ state }) => state === 'judged')!;
  const copy = damagedCopy(t, dir, (file) => {
    copyFileSync(file, backupFile(file.slice(0, file.lastIndexOf('/'))));
    flip(file, judged.sha256!);
  });
  assert.equal((await restore(copy)).state, 'rebuilt');
  const ledger = openLedger(copy);
  t.after(() => ledger.close());
  const found = ledger.clip(judged.clipId);
  assert.equal(found?.state, 'judged');
  assert.deepEqual(found?.verdict, judged.verdict);
  assert.equal(found?.sha256, judged.sha256);
  assert.match(ledger.custody(judged.clipId).at(-1)?.detail ?? '', /taken over from the backup/);
});

test('a row that was damaged under an open ledger is neither shown, nor changed, nor made right by a change', (t) => {
  const { ledger, dir, sealed } = benchLedger(t);
  const { clipId } = sealed();
  uploadNext(ledger);
  sealed();
  damageRows(
    dir,
    `UPDATE clips SET sha256 = replace(sha256, substr(sha256, 1, 1), 'x') WHERE clip_id = '${clipId}'`,
  );
  const refused = { kind: 'corrupt', code: 'ledger.row-damaged' };
  assert.throws(() => ledger.clip(clipId), refused);
  assert.throws(() => ledger.clips({ limit: 9 }), refused);
  assert.throws(() => ledger.awaitingVerdict(0, 9), refused);
  assert.throws(() => ledger.applyVerdict(verdictFor(clipId)), refused);
  damageRows(dir, "UPDATE custody SET detail = 'nothing happened'");
  assert.throws(() => ledger.custody(clipId), refused);
});

test('the check tells of every row that is not what was written, and changes nothing', async (t) => {
  const { ledger, dir, sealed } = benchLedger(t);
  const { clipId } = sealed();
  sealed();
  ledger.tell('link.state', { state: 'online', reason: null } as never);
  damageRows(
    dir,
    `UPDATE clips SET duration_ms = 1 WHERE clip_id = '${clipId}';
     UPDATE custody SET detail = 'made up' WHERE seq = 1;
     UPDATE outbox SET rank = 0 WHERE event_id = (SELECT max(event_id) FROM outbox)`,
  );
  const look = inspectLedger(dir);
  t.after(() => look.close());
  const { problems } = await look.check({ deep: true });
  const told = problems
    .map(({ problem }) => problem)
    .filter((one) => one.endsWith('is not what was written'));
  assert.equal(told.length, 3, told.join('\n'));
  assert.ok(problems.some((one) => one.clipId === clipId));
  await assert.rejects(ledger.check({ repair: true }), { code: 'ledger.row-damaged' });
});

test('lines of custody whose page is empty are counted when the ledger is begun anew', async (t) => {
  const { dir } = damageBench(t);
  const copy = damagedCopy(t, dir, (file) => {
    const db = new Sqlite(file, { readonly: true });
    const root = Number(
      db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'custody'").pluck().get(),
    );
    db.close();
    change(file, (bytes) => bytes.fill(0, (root - 1) * PAGE, root * PAGE));
  });
  const finding = await restore(copy);
  assert.match(
    'sentence' in finding ? finding.sentence : '',
    /\d+ lines of custody could not be read, and are gone/,
  );
});
