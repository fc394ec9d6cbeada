import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CameraStatus } from '../../../../agent/capture/capture.ts';
import { createCaptureCheck, createLedgerCheck } from '../../../../agent/health/health.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { LEDGER_UNAVAILABLE } from '../../../../agent/ledger/ledger.ts';
import { createFakeClock } from '../../../fakes/clock.ts';
import { createLedgerView } from '../../../fakes/ledger-view.ts';
import { someCamera } from '../dashboard/dashboard-world.ts';

function createCaptureWorld() {
  const clock = createFakeClock();
  const world = { cameras: [] as CameraStatus[] };
  const check = createCaptureCheck({ cameras: () => world.cameras, clock });
  /** Asks every 10 s, as the watchdog does. */
  const passMinutes = async (minutes: number, each: (turn: number) => void = () => undefined) => {
    let why: string | null = null;
    for (let turn = 0; turn < minutes * 6; turn++) {
      each(turn);
      why ??= check.stuck();
      await clock.advance(10_000);
    }
    return why;
  };
  return { world, passMinutes };
}

test('cameras that show pictures, and a camera that is tried again and again in vain, are progress', async () => {
  const { world, passMinutes } = createCaptureWorld();
  const why = await passMinutes(60, (turn) => {
    const down = Math.floor(turn / 4) % 2 === 1;
    world.cameras = [
      someCamera(),
      someCamera({
        cameraId: 'pond',
        state: down ? 'unreachable' : 'starting',
        sinceMs: Math.floor(turn / 4),
        pid: down ? null : turn,
        lastFragmentAgeMs: null,
        detail: 'no route to host',
      }),
    ];
  });
  assert.equal(why, null);
});

test('a camera that stays as it is for minutes without a picture has a supervisor that stands still', async () => {
  for (const state of ['unreachable', 'starting', 'stalled', 'live'] as const) {
    const { world, passMinutes } = createCaptureWorld();
    world.cameras = [someCamera(), someCamera({ cameraId: 'pond', state, lastFragmentAgeMs: 400_000 })];
    assert.equal(await passMinutes(3), null, state);
    assert.equal(await passMinutes(1), `camera pond has made no progress for 190 s: it is ${state}`);
  }
});

test('a camera that is left alone for half an hour, because it refused the login, has a supervisor that moves', async () => {
  const { world, passMinutes } = createCaptureWorld();
  const refused = someCamera({ cameraId: 'pond', state: 'refused', lastFragmentAgeMs: null });
  world.cameras = [someCamera(), { ...refused, pauseMs: 1_800_000 }];
  assert.equal(await passMinutes(30), null);
  world.cameras = [someCamera(), { ...refused, pauseMs: 0 }];
  assert.match((await passMinutes(4)) ?? '', /^camera pond has made no progress/);
});

test('a camera that is blind but shows pictures is watched', async () => {
  const { world, passMinutes } = createCaptureWorld();
  world.cameras = [someCamera({ state: 'blind' })];
  assert.equal(await passMinutes(10), null);
});

test('a camera that was taken away, and is given back later, does not stand still', async () => {
  const { world, passMinutes } = createCaptureWorld();
  const down = someCamera({ state: 'unreachable', lastFragmentAgeMs: null });
  world.cameras = [down];
  assert.equal(await passMinutes(2), null);
  world.cameras = [];
  assert.equal(await passMinutes(10), null);
  world.cameras = [down];
  assert.equal(await passMinutes(2), null);
});

test('a database that refuses once is no reason, one that refuses for a minute is, with what it said', async () => {
  const clock = createFakeClock();
  let refuses = true;
  const ledger = {
    summary: () => {
      if (refuses) throw new Error('disk I/O error');
      return createLedgerView([]).summary();
    },
  };
  const check = createLedgerCheck({ ledger, clock });
  await clock.advance(60_000);
  assert.equal(check.stuck(), null);
  await clock.advance(10_000);
  assert.equal(check.stuck(), 'ledger has made no progress for 70 s: disk I/O error');
  refuses = false;
  assert.equal(check.stuck(), null);
  refuses = true;
  assert.equal(check.stuck(), null);
});

test('a ledger that cannot be opened for hours is no reason to end the process: it is tried again all the time', async () => {
  const clock = createFakeClock();
  const ledger = {
    summary: () => {
      throw new Failure('transient', LEDGER_UNAVAILABLE, 'the disk is read-only');
    },
  };
  const check = createLedgerCheck({ ledger, clock });
  for (let hour = 0; hour < 5; hour++) {
    await clock.advance(3_600_000);
    assert.equal(check.stuck(), null);
  }
});
