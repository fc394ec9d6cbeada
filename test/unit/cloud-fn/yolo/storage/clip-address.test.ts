import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipProblem } from '../../../../../cloud-fn/yolo/clip-problem.ts';
import { bestFramePath, clipPath } from '../../../../../cloud-fn/yolo/storage/clip-address.ts';

const AZURE = 'https://dacha.blob.core.windows.net/';
const LOCAL = 'https://127.0.0.1:10000/dachawatchlocal';

test('the path of a clip is taken out of an address of our account', () => {
  assert.equal(clipPath(`${AZURE}dacha-video/dev/cam/2026/11/21/X.mp4`, AZURE), 'dev/cam/2026/11/21/X.mp4');
  assert.equal(clipPath(`${AZURE}dacha-video/a%20b.mp4?sig=1`, AZURE), 'a b.mp4');
  assert.equal(clipPath(`${LOCAL}/dacha-video/x.mp4`, LOCAL), 'x.mp4');
  // Storage on this machine came back on another port.
  assert.equal(clipPath('https://localhost:20000/dachawatchlocal/dacha-video/x.mp4', LOCAL), 'x.mp4');
});

test('every other address is refused for good', () => {
  const foreign = [
    'https://169.254.169.254/dacha-video/x.mp4',
    'https://dacha.blob.core.windows.net.evil.example/dacha-video/x.mp4',
    'https://dacha.blob.core.windows.net@evil.example/dacha-video/x.mp4',
    'https://dacha.blob.core.windows.net:8443/dacha-video/x.mp4',
    'http://dacha.blob.core.windows.net/dacha-video/x.mp4',
    'https://dacha.blob.core.windows.net/azure-webjobs-secrets/x.mp4',
    'https://dacha.blob.core.windows.net/dacha-video/../secrets/x.mp4',
    'https://dacha.blob.core.windows.net/dacha-video/',
    'https://dacha.blob.core.windows.net/dacha-video/%E0%A4%A',
    'file:///etc/passwd',
    'x.mp4',
  ];
  for (const address of foreign)
    assert.throws(
      () => clipPath(address, AZURE),
      (error) => error instanceof ClipProblem && error.code === 'clip.foreign-address' && error.final,
      address,
    );
  assert.throws(
    () => clipPath('https://10.0.0.1:10000/dachawatchlocal/dacha-video/x.mp4', LOCAL),
    ClipProblem,
  );
});

test('the best frame always has the same name below the name of its clip', () => {
  assert.equal(bestFramePath('dev/cam/2026/11/21/X.mp4'), 'dev/cam/2026/11/21/X/best.jpg');
  assert.equal(bestFramePath('no.extension/clip'), 'no.extension/clip/best.jpg');
});
