import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CameraConfig } from '@dachawatch/contracts';
import {
  type CameraSettings,
  type Change,
  changeOf,
} from '../../../../../agent/capture/supervision/settings-change.ts';

const config: CameraConfig = {
  id: 'gate',
  title: 'Gate',
  main: 'rtsp://192.0.2.1/main',
  sub: 'rtsp://192.0.2.1/sub',
  credential: 'gate-login',
  sensitivity: 5,
  timeZone: 'Europe/Berlin',
};
const before: CameraSettings = {
  config,
  credential: { username: 'a', password: 'b' },
  recording: { preRollMs: 5000, postRollMs: 30_000 },
};
const triangle = [
  [0, 0],
  [1, 0],
  [0, 1],
] as [number, number][];

const camera = (more: Partial<CameraConfig>): CameraSettings => ({
  ...before,
  config: { ...config, ...more },
});

const CHANGES: readonly (readonly [string, CameraSettings, Change])[] = [
  ['the same, written again', structuredClone(before), 'nothing'],
  ['a title', camera({ title: 'Front gate' }), 'nothing'],
  ['the name of the file with the same login', camera({ credential: 'other-file' }), 'nothing'],
  ['sensitivity', camera({ sensitivity: 6 }), 'reconfigure'],
  ['zones', camera({ zones: [{ id: 'drive', polygon: triangle }] }), 'reconfigure'],
  ['an empty list of zones, which is not the same as none', camera({ zones: [] }), 'reconfigure'],
  ['masks', camera({ masks: [{ id: 'tree', polygon: triangle }] }), 'reconfigure'],
  ['the time zone', camera({ timeZone: 'UTC' }), 'reconfigure'],
  ['pre-roll', { ...before, recording: { ...before.recording, preRollMs: 6000 } }, 'reconfigure'],
  ['post-roll', { ...before, recording: { ...before.recording, postRollMs: 6000 } }, 'reconfigure'],
  ['the main address', camera({ main: 'rtsp://192.0.2.1/other' }), 'renew'],
  ['the sub address', camera({ sub: 'rtsp://192.0.2.1/other' }), 'renew'],
  ['the password', { ...before, credential: { username: 'a', password: 'c' } }, 'renew'],
  ['no login any more', { ...before, credential: undefined }, 'renew'],
  ['an address and a zone at once', camera({ sub: 'rtsp://192.0.2.1/x', sensitivity: 1 }), 'renew'],
];

for (const [what, after, change] of CHANGES)
  test(`${what}: ${change}`, () => {
    assert.equal(changeOf(before, after), change);
    assert.equal(changeOf(after, before), change);
  });

test('a setting that this version does not know is told to the running child', () => {
  const after = camera({ ...({ brightness: 3 } as object) });
  assert.equal(changeOf(before, after), 'reconfigure');
});
