import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { measureBoot } from '../../../scripts/lib/bench/boot/boot.ts';
import { makeHouse, restartWaitMs } from '../../../scripts/lib/bench/boot/agent-lives.ts';
import { makePictures } from '../../../hardware/simulators/camera/made-pictures.ts';
import { startAgent } from '../agent/agent-process.ts';
import { until } from '../capture/capture-rig.ts';
import { watchMade } from '../capture/rig/made-rig.ts';

test('an agent records, tells that it is ready and answers: after an orderly end, and after a kill in the middle of a clip', async (t) => {
  const told: string[] = [];
  const options = { rounds: 1, cameras: 2, gopMs: 500 };
  const outcome = await measureBoot(options, (line) => told.push(line), t.signal);
  const { start, kill, restartMs } = outcome;
  assert.equal(restartMs, await restartWaitMs());
  for (const what of ['recordingMs', 'readyMs', 'pageMs'] as const) {
    assert.ok(start[what].worst > 0, what);
    assert.ok(kill[what].worst > restartMs, `${what} after a kill includes the wait of systemd`);
    assert.equal(start[what].median, start[what].worst, 'of one round');
  }
  assert.ok(start.pageMs.worst >= start.readyMs.worst);
  assert.equal(told.length, 1);
});

test('what the first life of the agent compiled is there for the next one, also when it ends by a kill', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-compiled-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const compiled = join(dir, 'compiled');
  const nobody = { mainUrl: 'rtsp://127.0.0.1:9/main', subUrl: 'rtsp://127.0.0.1:9/sub' };
  await makeHouse(dir, [nobody]);
  const agent = await startAgent(dir, join(dir, 'data'), ['env', `NODE_COMPILE_CACHE=${compiled}`]);
  t.after(() => void agent.process.kill('SIGKILL'));
  const files = async () => (await readdir(compiled, { recursive: true }).catch(() => [])).length;
  // The program of the cameras, which is compiled for itself, has about a hundred.
  await until('the compiled agent', async () => (await files()) > 300);
  agent.process.kill('SIGKILL');
});

test('a camera is live as soon as both streams show something, not at the next turn of its process', async (t) => {
  const pictures = await makePictures({ width: 160, height: 120, seconds: 2 });
  const stream = { fps: 10, takes: [{ pictures }] };
  const { capture } = await watchMade(t, {
    main: stream,
    sub: stream,
    // A turn that never comes in this test.
    timings: { heartbeatMs: 900_000, connectMs: 600_000, killMs: 600_000, stalledMs: 600_000 },
  });
  await until('a live camera', () => capture.status()[0]?.state === 'live', 180_000);
});
