/** A damaged log (`ledger.sqlite-wal`) is not seen by SQLite: it ends before the damage, and rows of the last commits
 *  are gone, or stand where they stood before. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ledgerFile } from '../../../../../agent/ledger/database/database-files.ts';
import type { Clip, Ledger } from '../../../../../agent/ledger/ledger.ts';
import { benchLedger, verdictFor, writeClip } from '../bench.ts';
import { openLedger, restore } from './damage-bench.ts';

const FRAME = 24 + 4096;
const HEADER = 32;

/** What storage holds: name to checksum. */
type Storage = Map<string, string>;

/** The uploader: storage is asked first; what is there already with the same checksum is not sent again.
 *  @returns names that were sent though they were there, or with another content */
function uploadAll(ledger: Ledger, storage: Storage): string[] {
  const wrong: string[] = [];
  for (let lease = ledger.leaseNext(); lease; lease = ledger.leaseNext()) {
    const { clip } = lease;
    const there = storage.get(clip.blobName);
    if (there !== undefined && there !== clip.sha256) wrong.push(clip.blobName);
    if (there === undefined) {
      if (!existsSync(clip.file)) {
        ledger.settleFailed(lease, 'its file is not there', 3_600_000);
        continue;
      }
      storage.set(clip.blobName, clip.sha256 ?? '');
    }
    ledger.settleUploaded(lease, `https://storage/${clip.blobName}`);
  }
  return wrong;
}

/** Room for all clips, and for some: others went when they were uploaded. */
const BUDGETS = [1_000_000, 14_000];

/** A ledger that was killed in the middle of its life. */
interface House {
  readonly dir: string;
  readonly clips: readonly Clip[];
  readonly storage: Storage;
}
async function killedHouse(t: TestContext, maxBytes: number): Promise<House> {
  const bench = benchLedger(t, { maxBytes, reserveBytes: 0 });
  const storage: Storage = new Map();
  const seal = async (cameraId: string) => {
    await bench.clock.advance(1_000);
    const clip = bench.open(cameraId);
    return bench.ledger.sealClip(
      clip.clipId,
      writeClip(clip.partFile, 1_000, Buffer.alloc(1_000, clip.clipId)),
    );
  };
  for (let turn = 0; turn < 5; turn++) await seal(turn % 2 === 0 ? 'gate' : 'yard');
  uploadAll(bench.ledger, storage);
  bench.reopen();
  for (let turn = 0; turn < 16; turn++) {
    const { clipId } = await seal(turn % 2 === 0 ? 'gate' : 'yard');
    // The budget removes what has been uploaded for longest.
    if (turn % 4 !== 3) uploadAll(bench.ledger, storage);
    if (turn % 5 === 0 && bench.ledger.clip(clipId)?.state === 'uploaded')
      bench.ledger.applyVerdict(verdictFor(clipId));
  }
  writeFileSync(bench.open('gate').partFile, 'what was being recorded');
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-log-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(bench.dir, dir, { recursive: true, filter: (from) => !from.includes('ledger.owner') });
  const clips = bench.ledger.clips({ limit: 1_000 });
  const moved = (file: string) => file.replace(bench.dir, dir);
  return {
    dir,
    clips: clips.map((clip) => ({ ...clip, file: moved(clip.file), partFile: moved(clip.partFile) })),
    storage,
  };
}

const contentOf = (file: string) =>
  existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : undefined;

async function holds(
  t: TestContext,
  house: House,
  what: string,
  damage: (log: string) => void,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-log-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(house.dir, dir, { recursive: true });
  damage(`${ledgerFile(dir)}-wal`);
  await restore(dir);
  const ledger = openLedger(dir);
  const storage: Storage = new Map(house.storage);
  await ledger.check({ repair: true, deep: true });
  assert.deepEqual(uploadAll(ledger, storage), [], `${what}: sent twice`);
  await ledger.check({ repair: true, deep: true });
  assert.deepEqual((await ledger.check({ repair: false, deep: true })).problems, [], what);
  for (const clip of house.clips) {
    const was = [clip.file, clip.partFile].map(contentOf);
    const now = ledger.clip(clip.clipId);
    const inStorage = house.storage.has(clip.blobName);
    if (was.some((content) => content !== undefined) || inStorage)
      assert.ok(
        now === undefined ? inStorage : now.state !== 'lost',
        `${what}: ${clip.state} ${clip.clipId} is ${now?.state} ${now?.reason}`,
      );
    if (was.some((content) => content !== undefined)) {
      assert.ok(now, `${what}: ${clip.state} ${clip.clipId} has no row`);
      assert.equal(now.blobName, clip.blobName, what);
      assert.equal(storage.get(clip.blobName), now.sha256, what);
    }
  }
  assert.deepEqual(existsSync(join(dir, 'quarantine')) ? readdirSync(join(dir, 'quarantine')) : [], [], what);
  const ids = new Set(house.clips.map(({ clipId }) => clipId));
  for (let turn = 0; turn < 3; turn++) {
    const { clipId } = ledger.openClip({ cameraId: 'gate', triggeredMs: 0, clockQuality: 'unsynchronised' });
    assert.ok(!ids.has(clipId), `${what}: ${clipId} is given twice`);
    ids.add(clipId);
  }
  ledger.close();
}

test('wherever the log of a killed ledger is cut off, no clip is lost and none is sent twice', async (t) => {
  for (const maxBytes of BUDGETS) {
    const house = await killedHouse(t, maxBytes);
    const { length } = readFileSync(`${ledgerFile(house.dir)}-wal`);
    const step = FRAME * Math.max(1, Math.round(length / FRAME / 12));
    const ends = [0, 1, 31, HEADER, length - 1];
    for (let at = HEADER + 100; at < length; at += step) ends.push(at);
    for (const at of ends) await holds(t, house, `cut at ${at}`, (log) => truncateSync(log, at));
  }
});

test('a damaged byte or page anywhere in the log loses no clip and sends none twice', async (t) => {
  for (const maxBytes of BUDGETS) {
    const house = await killedHouse(t, maxBytes);
    const bytes = readFileSync(`${ledgerFile(house.dir)}-wal`);
    const step = Math.round(bytes.length / 12);
    for (let at = 5; at < bytes.length; at += step)
      for (const [what, end] of [
        ['byte', at + 1],
        ['page', at + 4_096],
      ] as const)
        await holds(t, house, `${what} at ${at}`, (log) => {
          const damaged = Buffer.from(bytes);
          for (let here = at; here < Math.min(end, bytes.length); here++)
            damaged[here] = ~(damaged[here] ?? 0);
          writeFileSync(log, damaged);
        });
  }
});

test('a log that is gone, or whose index is gone or of another one, loses no clip and sends none twice', async (t) => {
  const indexOf = (log: string) => log.replace(/wal$/, 'shm');
  for (const maxBytes of BUDGETS) {
    const house = await killedHouse(t, maxBytes);
    await holds(t, house, 'no log', (log) => rmSync(log));
    await holds(t, house, 'no index', (log) => rmSync(indexOf(log)));
    await holds(t, house, 'neither', (log) => {
      rmSync(log);
      rmSync(indexOf(log));
    });
    await holds(t, house, 'a strange index', (log) => copyFileSync(log, indexOf(log)));
  }
});

test('a clip file without a row that cannot be read at one check is taken up at the next one that can read it', async (t) => {
  const bench = benchLedger(t);
  const clip = bench.sealed();
  bench.ledger.close();
  for (const end of ['', '-wal', '-shm']) rmSync(ledgerFile(bench.dir) + end, { force: true });
  bench.ledger = openLedger(bench.dir, [], {
    recoverTorn: () =>
      Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', errno: -5 })),
  });
  const { problems } = await bench.ledger.check({ repair: true });
  assert.match(problems.map(({ problem }) => problem).join(), /has no row and cannot be taken up yet: .*EIO/);
  bench.ledger.close();
  bench.ledger = openLedger(bench.dir);
  await bench.ledger.check({ repair: true });
  assert.deepEqual(
    [bench.ledger.clip(clip.clipId)?.state, bench.ledger.clip(clip.clipId)?.sha256],
    ['sealed', clip.sha256],
  );
  assert.deepEqual((await bench.ledger.check({ repair: false, deep: true })).problems, []);
});
