/** What happens on a disk that is full, read-only or not mounted. Each runs in a process that has a small disk of its
 *  own (`small-disk.ts`). Arguments: scenario, folder of the disk. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Conditions, createConditions } from '../../../agent/kernel/conditions.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { reserveFile } from '../../../agent/ledger/disk/disk-reserve.ts';
import { inspectLedger } from '../../../agent/ledger/check/inspect.ts';
import { type Clip, createLedger, type Ledger, type LedgerDeps } from '../../../agent/ledger/ledger.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { keepWhole, uploadNext, verdictFor, writeClip } from '../../unit/agent/ledger/bench.ts';

const KB = 1024;
const MB = 1024 * KB;

class Rig {
  readonly dir: string;
  readonly clock = createFakeClock();
  readonly conditions: Conditions;
  readonly #log = createLog('error', (line) => process.stderr.write(line));
  ledger: Ledger;

  constructor(disk: string, overrides: Partial<LedgerDeps> = {}) {
    this.dir = join(disk, 'data');
    this.conditions = createConditions({ clock: this.clock, log: this.#log });
    this.ledger = this.open(overrides);
  }

  open(overrides: Partial<LedgerDeps> = {}): Ledger {
    this.ledger = createLedger({
      dir: this.dir,
      clock: this.clock,
      log: this.#log,
      conditions: this.conditions,
      maxBytes: 40 * MB,
      leaseMs: 60_000,
      minFreeBytes: 5 * MB,
      reserveBytes: 2 * MB,
      recoverTorn: keepWhole,
      ...overrides,
    });
    return this.ledger;
  }

  standing = () => this.conditions.list().map(({ code }) => code);

  openClip = (): Clip =>
    this.ledger.openClip({ cameraId: 'gate', triggeredMs: this.clock.nowMs(), clockQuality: 'synchronised' });

  sealed(bytes: number): Clip {
    const clip = this.openClip();
    return this.ledger.sealClip(clip.clipId, writeClip(clip.partFile, bytes));
  }

  state = (clip: Clip) => this.ledger.clip(clip.clipId)?.state;
}

/** Takes every byte that is left. @returns gives them back */
function fill(disk: string): () => void {
  const file = join(disk, 'somebody-else');
  const fd = openSync(file, 'w');
  for (let size = MB; size > 0; )
    try {
      if (writeSync(fd, Buffer.alloc(size, 1)) < size) size = 0;
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      size = size > 4 * KB ? size / 4 : 0;
    }
  closeSync(fd);
  const { bavail } = statfsSync(disk);
  assert.equal(bavail, 0, 'the disk is full');
  return () => rmSync(file);
}

const failsWith =
  (...kinds: string[]) =>
  (error: unknown) =>
    error instanceof Failure && kinds.includes(error.kind);

const SCENARIOS: Readonly<Record<string, (disk: string) => Promise<void>>> = {
  async fullAtStart(disk) {
    const floor = { minFreeBytes: MB };
    const rig = new Rig(disk, floor);
    await rig.ledger.tend();
    const clips = Array.from({ length: 10 }, () => rig.sealed(500 * KB));
    for (let n = 0; n < 4; n++) uploadNext(rig.ledger);
    const torn = rig.openClip();
    writeClip(torn.partFile, 100 * KB);
    rig.ledger.storeMessage({
      messageId: 'before',
      receivedMs: 0,
      body: Buffer.from(JSON.stringify(verdictFor(clips[9]!.clipId))),
    });
    rig.ledger.close();
    const free = fill(disk);

    rig.open(floor);
    rig.ledger.drainInbox();
    await rig.ledger.check({ repair: true });
    assert.equal(rig.state(torn), 'sealed', 'what a dead writer left is sealed');
    const fresh = rig.sealed(300 * KB);
    await rig.ledger.tend();
    assert.equal(rig.state(fresh), 'sealed');
    const gone = clips.filter(({ file }) => !existsSync(file));
    assert.ok(gone.length > 0, 'files went');
    assert.ok(
      gone.every((clip) => ['uploaded', 'judged'].includes(rig.state(clip) ?? '')),
      'only what is in storage',
    );
    free();
    await rig.ledger.tend();
    assert.deepEqual(rig.standing(), []);
    assert.deepEqual((await rig.ledger.check({ repair: false, deep: true })).problems, []);
  },

  /** No upload for days: the disk is full of clips that are nowhere else, and not a byte is left for a commit. */
  async noDeadlock(disk) {
    const rig = new Rig(disk);
    await rig.ledger.tend();
    const clips: Clip[] = [];
    while (statfsSync(disk).bavail * statfsSync(disk).bsize > 6 * MB) clips.push(rig.sealed(400 * KB));
    rig.ledger.close();
    fill(disk);
    rig.open();
    for (let n = 0; n < 30; n++) {
      const clip = rig.sealed(400 * KB);
      assert.equal(rig.state(clip), 'sealed', `clip ${n} is recorded`);
      clips.push(clip);
      if (n % 3 === 0) await rig.ledger.tend();
    }
    const lost = clips.filter((clip) => rig.state(clip) === 'lost');
    assert.ok(lost.length > 0);
    assert.deepEqual(lost, clips.slice(0, lost.length), 'the oldest went');
    for (const { clipId, file } of lost) {
      assert.match(rig.ledger.clip(clipId)?.reason ?? '', /^file removed: disk nearly full$/);
      assert.ok(!existsSync(file));
    }
    await rig.ledger.tend();
    await rig.ledger.tend();
    assert.deepEqual(rig.standing(), [], 'the reserve is there again');
    assert.deepEqual((await rig.ledger.check({ repair: false, deep: true })).problems, []);
  },

  async sealWaits(disk) {
    const rig = new Rig(disk);
    const clip = rig.openClip();
    const written = writeClip(clip.partFile, 200 * KB);
    // Recorded in full, and then others took every byte. There is no reserve yet.
    rig.ledger.close();
    rig.open();
    const again = rig.openClip();
    const whole = writeClip(again.partFile, 200 * KB);
    const free = fill(disk);
    assert.throws(() => rig.ledger.sealClip(again.clipId, whole), failsWith('exhausted', 'transient'));
    assert.equal(rig.state(again), 'recording');
    assert.deepEqual(rig.standing(), ['clip-unsealed']);
    const look = inspectLedger(rig.dir);
    const beside = await look.check({ deep: false });
    look.close();
    assert.ok(look.owned);
    assert.match(
      beside.problems.find(({ clipId }) => clipId === again.clipId)?.problem ?? '',
      /waits to be sealed/,
      'fsck beside the owner says so',
    );
    assert.ok(beside.problems.length >= 1);
    await rig.clock.advance(10 * 60_000);
    await rig.ledger
      .tend()
      .catch((error: unknown) => assert.ok(error instanceof Failure && error.kind !== 'bug'));
    assert.equal(rig.state(again), 'recording', 'still no room');
    free();
    await rig.clock.advance(10 * 60_000);
    assert.deepEqual(await rig.ledger.tend(), { sealed: 1 });
    assert.equal(rig.state(again), 'sealed');
    assert.equal(rig.ledger.clip(again.clipId)?.preRollMs, whole.preRollMs, 'with what its writer knew');
    assert.deepEqual(rig.standing(), []);
    assert.equal(written.bytes, 200 * KB);
  },

  async repairWaits(disk) {
    const rig = new Rig(disk, { reserveBytes: 4 * KB });
    const torn = [rig.openClip(), rig.openClip()];
    for (const { partFile } of torn) writeClip(partFile, 100 * KB);
    writeFileSync(
      join(rig.dir, 'clips', 'gate', '01ARYZ6S410000000000000000.mp4'),
      'evidence of another ledger',
    );
    rig.ledger.close();
    rig.open({ reserveBytes: 4 * KB });
    const free = fill(disk);
    const full = await rig.ledger.check({ repair: true });
    assert.ok(full.problems.length > 0, 'what could not be repaired is a problem');
    assert.ok(
      torn.every((clip) => existsSync(clip.partFile) || existsSync(clip.file)),
      'nothing is gone',
    );
    free();
    const after = await rig.ledger.check({ repair: true });
    assert.ok(torn.every((clip) => rig.state(clip) === 'sealed'));
    assert.ok(after.problems.every(({ clipId }) => clipId === null));
    assert.equal(rig.ledger.clip('01ARYZ6S410000000000000000')?.state, 'sealed', 'the stray one is taken up');
    assert.deepEqual((await rig.ledger.check({ repair: true, deep: true })).problems, []);
  },

  async messagesWait(disk) {
    const rig = new Rig(disk);
    const clip = rig.sealed(10 * KB);
    uploadNext(rig.ledger);
    rig.ledger.close();
    rig.open();
    const free = fill(disk);
    const message = {
      messageId: 'v1',
      receivedMs: 0,
      body: Buffer.from(JSON.stringify(verdictFor(clip.clipId))),
    };
    assert.throws(
      () => {
        for (let n = 0; n < 500; n++)
          rig.ledger.tell('link.state', { state: 'offline', detail: 'x'.repeat(500) });
      },
      failsWith('exhausted', 'transient'),
    );
    let stored = true;
    try {
      rig.ledger.storeMessage({ ...message, body: Buffer.alloc(200 * KB, ' ') });
    } catch (error) {
      assert.ok(failsWith('exhausted', 'transient')(error));
      stored = false;
    }
    assert.equal(stored, false);
    free();
    rig.ledger.storeMessage(message);
    assert.equal(rig.ledger.drainInbox().applied, 1);
    rig.ledger.tell('link.state', { state: 'online' });
    assert.equal(rig.state(clip), 'judged');
  },

  async readOnly(disk) {
    const clipsDir = join(disk, 'data', 'clips');
    mkdirSync(clipsDir, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', clipsDir]);
    const remount = (how: string) => execFileSync('mount', ['-o', `remount,${how}`, clipsDir]);
    const rig = new Rig(disk, { maxBytes: 40 * KB });
    await rig.ledger.tend();
    const kept = [rig.sealed(10 * KB), rig.sealed(10 * KB)];
    const clip = rig.openClip();
    const written = writeClip(clip.partFile, 10 * KB);
    remount('ro');
    assert.throws(() => rig.ledger.sealClip(clip.clipId, written), failsWith('exhausted'));
    for (let n = 0; n < 5; n++) assert.throws(() => rig.openClip(), failsWith('exhausted'));
    await rig.clock.advance(10 * 60_000);
    await rig.ledger.tend();
    await rig.ledger.check({ repair: true });
    assert.deepEqual(
      [...kept, clip].map((one) => rig.state(one)),
      ['sealed', 'sealed', 'recording'],
    );
    assert.ok(rig.standing().includes('clip-unsealed'));
    remount('rw');
    await rig.clock.advance(10 * 60_000);
    assert.deepEqual(await rig.ledger.tend(), { sealed: 1 });
    assert.equal(rig.state(clip), 'sealed');
    assert.equal(rig.state(rig.sealed(10 * KB)), 'sealed');
    await rig.clock.advance(10 * 60_000);
    await rig.ledger.tend();
    assert.deepEqual(rig.standing(), []);
    assert.deepEqual((await rig.ledger.check({ repair: false, deep: true })).problems, []);
  },

  async notMounted(disk) {
    const store = join(disk, 'card');
    mkdirSync(store);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', store]);
    const clipsDir = join(disk, 'data', 'clips');
    mkdirSync(clipsDir, { recursive: true });
    const mount = () => execFileSync('mount', ['--bind', store, clipsDir]);
    mount();
    const rig = new Rig(disk);
    const clips = [rig.sealed(10 * KB), rig.sealed(10 * KB), rig.sealed(10 * KB)];
    uploadNext(rig.ledger);
    await rig.ledger.tend();
    rig.ledger.close();
    execFileSync('umount', [clipsDir]);

    rig.open();
    await rig.ledger.check({ repair: true });
    assert.deepEqual(rig.standing(), ['clips-missing']);
    assert.throws(() => rig.openClip(), failsWith('exhausted'));
    await rig.ledger.tend();
    assert.deepEqual(readdirSync(clipsDir), [], 'nothing is recorded below the mount point');
    assert.equal(clips.filter((clip) => rig.state(clip) === 'sealed').length, 2);
    assert.equal(rig.ledger.leaseNext(), undefined, 'what is not there is not uploaded');

    mount();
    await rig.ledger.tend();
    assert.deepEqual(rig.standing(), [], 'it goes on by itself');
    assert.equal(rig.state(rig.sealed(KB)), 'sealed');
    assert.deepEqual((await rig.ledger.check({ repair: true, deep: true })).problems, []);
    execFileSync('umount', [clipsDir]);
    assert.throws(() => rig.openClip(), failsWith('exhausted'), 'nor when it goes while the agent runs');
  },

  async sparseReserve(disk) {
    const rig = new Rig(disk);
    writeFileSync(reserveFile(rig.dir), '');
    truncateSync(reserveFile(rig.dir), 2 * MB);
    assert.equal(statSync(reserveFile(rig.dir)).blocks, 0);
    await rig.ledger.tend();
    assert.ok(statSync(reserveFile(rig.dir)).blocks * 512 >= 2 * MB, 'it takes the room it promises');
  },
};

const [name = '', disk = ''] = process.argv.slice(2);
const scenario = SCENARIOS[name];
if (!scenario) throw new Error(`there is no scenario ${name}`);
await scenario(disk);
