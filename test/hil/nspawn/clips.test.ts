import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import type { CameraSimulator } from '../../../hardware/simulators/camera/camera.ts';
import { repoRoot } from '../../../scripts/lib/places.ts';
import { clipsOf } from '../../system/product.ts';
import { bootGuest, type Guest, STATE, UNIT, until } from './guest.ts';
import { stillCamera, freePort, type RunningCloud, startCloud, writeAppliance } from './house.ts';

const CRASHES = 6;
/** Restart, connections to camera and hub, on a busy machine. */
const CLIP_MS = 90_000;

let camera: CameraSimulator;
let cloud: RunningCloud;
let guest: Guest;
let page: string;

before(async () => {
  camera = await stillCamera();
  cloud = await startCloud();
  const port = await freePort();
  guest = await bootGuest((write) => {
    page = writeAppliance(write, cloud, camera, port);
  });
});
after(async () => {
  await guest?.close();
  await cloud?.stop();
  await camera?.stop();
});

const context = () => guest.journal();

/** A clip that is being recorded now, at a person's request. @returns its id */
async function recording(): Promise<string> {
  const clipId = await until('the agent records at request', () => cloud.recordNow(), CLIP_MS, context);
  await until(
    `${clipId} is being recorded`,
    async () => (await clipsOf(page)).some((clip) => clip.clipId === clipId && clip.state === 'recording'),
    CLIP_MS,
    context,
  );
  return clipId;
}

interface Row {
  readonly clip_id: string;
  readonly state: string;
  readonly duration_ms: number;
}

/** What the checkout's own tools say of a copy of the guest's recordings; the agent must not run. */
async function inspect(): Promise<{ problems: unknown[]; rows: Map<string, Row> }> {
  const copy = join(process.env['DACHAWATCH_HIL_WORK'] ?? '', 'copy');
  cpSync(join(guest.root, STATE), copy, { recursive: true });
  try {
    const fsck = [join(repoRoot, 'scripts/lib/fsck/fsck.ts'), '--data', copy, '--deep', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, fsck).catch(
      (error: { stdout: string }) => error,
    );
    const { problems } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { problems: unknown[] };
    const db = new Database(join(copy, 'ledger.sqlite'), { readonly: true });
    const rows = db.prepare('SELECT clip_id, state, duration_ms FROM clips').all() as Row[];
    db.close();
    return { problems, rows: new Map(rows.map((row) => [row.clip_id, row])) };
  } finally {
    rmSync(copy, { recursive: true });
  }
}

const KEPT = ['sealed', 'uploading', 'uploaded'];

test('a stop while a clip is being recorded seals it', async () => {
  const clipId = await recording();
  await guest.must('systemctl', 'stop', UNIT);
  assert.equal(await guest.unit('Result'), 'success', await guest.journal());
  const { problems, rows } = await inspect();
  assert.deepEqual(problems, []);
  const row = rows.get(clipId);
  assert.ok(KEPT.includes(row?.state ?? ''), `${clipId} is ${row?.state}`);
  assert.ok((row?.duration_ms ?? 0) > 0);
});

test('killed again and again while it records, the agent comes back each time and loses no clip', async () => {
  await guest.must('systemctl', 'reset-failed', UNIT);
  await guest.must('systemctl', 'start', UNIT);
  const interrupted = new Set<string>();
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    interrupted.add(await recording());
    // Anywhere in a clip: between two fragments, in the middle of one, in the writing of a row.
    await delay(Math.random() * 2_500);
    const pid = await guest.unit('MainPID');
    await guest.must('kill', '-KILL', pid);
    await until(
      'systemd has started another one',
      async () =>
        (await guest.unit('ActiveState')) === 'active' && ![pid, '0'].includes(await guest.unit('MainPID')),
      CLIP_MS,
      context,
    );
    assert.equal(Number(await guest.unit('NRestarts')), crash);
  }
  // What was torn is put right beside the watching, after each start.
  await until(
    'the last clip that was torn is kept',
    async () => {
      const clips = await clipsOf(page);
      return clips.length > 0 && !clips.some((clip) => clip.state === 'recording');
    },
    CLIP_MS,
    context,
  );
  await guest.must('systemctl', 'stop', UNIT);

  assert.equal(interrupted.size, CRASHES, 'a clip was resumed that belonged to a dead process');
  const { problems, rows } = await inspect();
  assert.deepEqual(problems, []);
  for (const clipId of interrupted) {
    const row = rows.get(clipId);
    assert.ok(KEPT.includes(row?.state ?? ''), `${clipId} is ${row?.state ?? 'gone'}`);
    assert.ok((row?.duration_ms ?? 0) > 0, `${clipId} has ${row?.duration_ms} ms`);
  }
});

test('the request to power off: clips are sealed, the machine is off, once', async () => {
  await guest.must('systemctl', 'start', UNIT);
  const clipId = await recording();
  // As the agent does it, by the only right that it has.
  const request = '/run/dachawatch/power-off';
  await guest.must('runuser', '-u', 'dachawatch', '--', 'touch', request);
  let isOff = false;
  void guest.off.then(() => {
    isOff = true;
  });
  await until('the machine is off', () => isOff, 90_000);

  const { problems, rows } = await inspect();
  assert.deepEqual(problems, []);
  assert.ok(KEPT.includes(rows.get(clipId)?.state ?? ''));
  const journal = execFileSync('journalctl', [
    ...['--directory', join(guest.root, 'var/log/journal'), '--no-pager', '--output=cat'],
    ...['--unit', 'dachawatch-power-off.service'],
  ]).toString();
  assert.equal(journal.match(/^powering off;/gm)?.length, 1, journal);
  assert.ok(!existsSync(join(guest.root, request)));
});
