import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import {
  CheckCameraAnswer,
  parse,
  MethodProblem,
  RecordNowAnswer,
  RetryClipAnswer,
  SnapshotAnswer,
} from '@dachawatch/contracts';
import {
  createDirectMethods,
  type DirectMethodsDeps,
} from '../../../../../agent/hub/methods/direct-methods.ts';
import { defineMethod } from '../../../../../agent/hub/methods/method.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';

const CLIP = '01KB3E4Q9Z0000000000000000';
const signal = new AbortController().signal;
const CHECK = {
  usable: false,
  streams: [{ stream: 'sub' as const, loginBy: null, trouble: 'no connection', measures: null }],
  advice: [{ stream: 'sub' as const, isFatal: true, sentence: 'no connection to rtsp://viewer:s3cret@h/m' }],
};

function methods(ids: readonly string[], deps: Partial<DirectMethodsDeps> = {}) {
  return createDirectMethods({
    cameras: () => ids.map((cameraId) => ({ cameraId })),
    snapshot: async () => ({
      jpeg: new Uint8Array([0xff, 0xd8, 0xff]),
      widthPx: 640,
      heightPx: 360,
      takenMs: Date.UTC(2026, 5, 1, 12),
    }),
    recordNow: async () => CLIP,
    retryClip: () => 'returned',
    checkCamera: async () => CHECK,
    ...deps,
  });
}

const problem = ({ status, payload }: { status: number; payload: unknown }) => {
  const { code, message } = parse(MethodProblem, payload);
  return { status, code, message };
};

test('a snapshot of the only camera needs no name, and its answer fits the contract', async () => {
  for (const payload of [undefined, null, {}, { unknown: 1 }, { cameraId: 'yard' }]) {
    const { status, payload: answer } = await methods(['yard']).snapshot(payload, signal);
    assert.equal(status, 200);
    assert.deepEqual(parse(SnapshotAnswer, answer), {
      cameraId: 'yard',
      takenUtc: '2026-06-01T12:00:00.000Z',
      widthPx: 640,
      heightPx: 360,
      jpeg: '/9j/',
    });
  }
});

/** Those that ask something of a camera. */
const ofCameras = ({ snapshot, recordNow }: ReturnType<typeof methods>) => [snapshot, recordNow];

test('the check of a camera fits its contract, repeats no login, and of several cameras one must be named', async () => {
  const { status, payload } = await methods(['yard']).checkCamera(undefined, signal);
  assert.equal(status, 200);
  const answer = parse(CheckCameraAnswer, payload);
  assert.deepEqual([answer.cameraId, answer.usable, answer.streams], ['yard', false, CHECK.streams]);
  assert.equal(answer.advice[0]?.sentence, 'no connection to rtsp://***@h/m');
  const { checkCamera } = methods(['yard', 'door']);
  assert.equal(problem(await checkCamera({}, signal)).status, 400);
  assert.equal(problem(await checkCamera({ cameraId: 'attic' }, signal)).status, 404);
});

test('of several cameras one must be named, and one that is not there is refused with those that are', async () => {
  const { snapshot, recordNow } = methods(['yard', 'door']);
  assert.deepEqual(problem(await snapshot(undefined, signal)), {
    status: 400,
    code: 'method.camera-missing',
    message: 'say which camera in cameraId; there are: yard, door',
  });
  for (const method of [snapshot, recordNow])
    assert.deepEqual(problem(await method({ cameraId: 'attic' }, signal)), {
      status: 404,
      code: 'method.no-such-camera',
      message: 'there is no camera attic; there are: yard, door',
    });
  for (const method of ofCameras(methods([])))
    assert.equal(problem(await method(undefined, signal)).status, 404);
});

test('a payload that does not fit is refused with its place', async () => {
  for (const method of ofCameras(methods(['yard'])))
    for (const payload of [[], 'yard', 7, { cameraId: 7 }, { cameraId: '../etc' }, { cameraId: null }]) {
      const { status, code, message } = problem(await method(payload, signal));
      assert.deepEqual([status, code], [400, 'method.payload']);
      assert.match(message, /request\/1: (\/cameraId|document)/);
    }
});

test('each reason why a camera gives nothing has its status', async () => {
  const cases: [Failure, number][] = [
    [new Failure('transient', 'capture.no-picture', 'no picture'), 503],
    [new Failure('transient', 'capture.deadline', 'took too long'), 503],
    [new Failure('transient', 'capture.paused', 'recording is paused'), 409],
    [new Failure('exhausted', 'capture.no-room', 'the disk is full'), 409],
    [new Failure('rejected', 'capture.unknown-camera', 'the camera went'), 404],
  ];
  for (const [failure, status] of cases) {
    const fail = async () => Promise.reject(failure);
    for (const method of ofCameras(methods(['yard'], { snapshot: fail, recordNow: fail })))
      assert.deepEqual(problem(await method(undefined, signal)), {
        status,
        code: failure.code,
        message: failure.message,
      });
  }
});

test('a fault of ours is thrown for the log, not told to the caller', async () => {
  for (const fault of [new TypeError('x is undefined'), new Failure('bug', 'capture.answer', 'odd')]) {
    const fail = async () => Promise.reject(fault);
    for (const method of ofCameras(methods(['yard'], { snapshot: fail, recordNow: fail })))
      await assert.rejects(method(undefined, signal), fault);
  }
});

test('every camera records by itself: one that cannot is named with the reason, without its secrets', async () => {
  const { recordNow } = methods(['yard', 'door'], {
    recordNow: async (cameraId) => {
      if (cameraId === 'yard') return CLIP;
      throw new Failure('transient', 'capture.no-picture', 'rtsp://admin:geheim@door gives no picture');
    },
  });
  const { status, payload } = await recordNow(undefined, signal);
  assert.equal(status, 200);
  assert.deepEqual(parse(RecordNowAnswer, payload), {
    clips: [
      { cameraId: 'yard', clipId: CLIP },
      { cameraId: 'door', problem: 'rtsp://***@door gives no picture' },
    ],
  });
  const { status: alone, message } = problem(await recordNow({ cameraId: 'door' }, signal));
  assert.equal(alone, 503);
  assert.doesNotMatch(message, /geheim/);
});

test('the signal reaches the cameras', async () => {
  const got: AbortSignal[] = [];
  const { snapshot, recordNow } = methods(['yard'], {
    snapshot: async (_id, given) => {
      got.push(given);
      throw new Failure('transient', 'capture.no-picture', 'none');
    },
    recordNow: async (_id, given) => {
      got.push(given);
      return CLIP;
    },
  });
  await snapshot(undefined, signal);
  await recordNow(undefined, signal);
  assert.deepEqual(got, [signal, signal]);
});

test('a clip is returned to the queue by its id, and the answer says what it was', async () => {
  for (const outcome of ['returned', 'waiting', 'uploaded'] as const) {
    const { retryClip } = methods(['yard'], { retryClip: () => outcome });
    const { status, payload } = await retryClip({ clipId: CLIP }, signal);
    assert.equal(status, 200);
    assert.deepEqual(parse(RetryClipAnswer, payload), { clipId: CLIP, outcome });
  }
});

test('a clip that is not there is a 404, a lost one a 409, and what is no clip id a 400; nothing is asked', async () => {
  const answers = { 'unknown-clip': 404, lost: 409 } as const;
  for (const [outcome, expected] of Object.entries(answers)) {
    const { retryClip } = methods([], { retryClip: () => outcome as keyof typeof answers });
    const { status, message } = problem(await retryClip({ clipId: CLIP }, signal));
    assert.equal(status, expected);
    assert.match(message, new RegExp(CLIP));
  }
  const asked: string[] = [];
  const { retryClip } = methods([], {
    retryClip: (clipId) => {
      asked.push(clipId);
      return 'returned';
    },
  });
  for (const payload of [undefined, null, {}, [], 'x', { clipId: '../../etc' }, { clipId: 7 }])
    assert.equal((await retryClip(payload, signal)).status, 400, JSON.stringify(payload));
  assert.deepEqual(asked, []);
});

test('a new method is a contract and an answer: its payload is checked, its refusals have their status, its faults are thrown', async () => {
  const blink = defineMethod({
    request: Type.Object({ times: Type.Integer({ minimum: 1 }) }, { $id: 'test/blink/1' }),
    statuses: { 'method.no-lamp': 404 },
    async answer({ times }, lamp: { readonly blink: (times: number) => boolean }) {
      if (!lamp.blink(times)) throw new Failure('rejected', 'method.no-lamp', 'there is no lamp');
      return { blinked: times };
    },
  });
  const there = blink({ blink: () => true });
  assert.deepEqual(await there({ times: 3 }, signal), { status: 200, payload: { blinked: 3 } });
  assert.equal(problem(await there({ times: 0 }, signal)).status, 400);
  const away = blink({ blink: () => false });
  assert.deepEqual(problem(await away({ times: 3 }, signal)), {
    status: 404,
    code: 'method.no-lamp',
    message: 'there is no lamp',
  });
  const broken = blink({
    blink: () => {
      throw new Failure('bug', 'lamp.wiring', 'the lamp is wired wrongly');
    },
  });
  await assert.rejects(broken({ times: 3 }, signal), { code: 'lamp.wiring' });
});
