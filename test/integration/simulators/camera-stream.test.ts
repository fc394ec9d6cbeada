import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startCamera, type CameraOptions } from '../../../hardware/simulators/camera/camera.ts';
import { makeVideo } from '../../fakes/media.ts';

const root = join(import.meta.dirname, '../../..');
const RAMP_S = 60;
/** Brightness that the ramp gains in a second. */
const LUMA_PER_S = 219 / RAMP_S;

let dir: string;
let ramp: string;
let short: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-camera-'));
  ramp = join(dir, 'ramp.mp4');
  short = join(dir, 'short.mp4');
  await makeVideo(ramp, { kind: 'ramp', seconds: RAMP_S, fps: 5, width: 320, height: 180 });
  // 21 pictures in GOPs of 20: the loop's seam puts a key frame right behind a key frame.
  await makeVideo(short, { seconds: 2.1, fps: 10, width: 320, height: 180 });
});
after(() => rm(dir, { recursive: true }));

async function camera(t: TestContext, options: Omit<CameraOptions, 'cacheDir'>) {
  const started = await startCamera({ cacheDir: dir, ...options });
  t.after(() => started.stop());
  return started;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `waited in vain: ${what}`);
    await delay(20);
  }
}

/** Decodes a stream and keeps the mean brightness of each picture. */
function watch(t: TestContext, url: string): { readonly luma: number[] } {
  const input = [
    '-v',
    'error',
    '-rtsp_transport',
    'tcp',
    '-fflags',
    'nobuffer',
    '-analyzeduration',
    '500000',
    '-i',
    url,
  ];
  const output = [
    '-fps_mode',
    'passthrough',
    '-vf',
    'scale=1:1:flags=area,format=gray',
    '-f',
    'rawvideo',
    '-',
  ];
  const child = spawn('ffmpeg', ['-nostdin', ...input, ...output], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const luma: number[] = [];
  child.stdout.on('data', (bytes: Buffer) => luma.push(...bytes));
  return { luma };
}

/** Decodes a stream for a while. @returns what the decoder complained about */
async function decode(url: string, seconds: number): Promise<string> {
  const args = ['-nostdin', '-v', 'warning', '-err_detect', 'explode', '-rtsp_transport', 'tcp', '-i', url];
  const child = spawn(
    'ffmpeg',
    [...args, '-t', `${seconds}`, '-fps_mode', 'passthrough', '-f', 'null', '-'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 120_000,
    },
  );
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0 ? complaints : `${complaints} exit code ${code}`;
}

async function isGone(pid: number): Promise<boolean> {
  // A process that ended and that nobody has waited for yet is gone, too.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat === undefined || /\) Z /.test(stat);
}

test('all viewers of both streams see one live time line; who comes late starts at the present', async (t) => {
  const { mainUrl, subUrl } = await camera(t, { video: ramp, loop: false });
  const first = watch(t, mainUrl);
  await until('the first viewer sees the footage advance', () => (first.luma.at(-1) ?? 0) > 30);
  const seenBefore = first.luma.at(-1) ?? 0;
  const late = watch(t, subUrl);
  await until('the late viewer sees a picture', () => late.luma.length > 0);
  const firstOfLate = late.luma[0] ?? 0;
  assert.ok(firstOfLate >= seenBefore - 3, `a late viewer was shown ${firstOfLate} after ${seenBefore}`);

  const apart: number[] = [];
  await until('both have seen three more seconds', () => {
    apart.push((first.luma.at(-1) ?? 0) - (late.luma.at(-1) ?? 0));
    return late.luma.length > 15;
  });
  const median = apart.toSorted((a, b) => a - b)[apart.length >> 1] ?? Infinity;
  assert.ok(Math.abs(median) < 3 * LUMA_PER_S, `the streams are ${median / LUMA_PER_S} s apart`);
});

test('decoding is clean over lead-in, footage and the seam of the loop', async (t) => {
  const cam = await camera(t, { video: short, leadInS: 1.3 });
  const [main, sub] = await Promise.all([decode(cam.mainUrl, 10), decode(cam.subUrl, 10)]);
  assert.equal(main, '');
  assert.equal(sub, '');
  await cam.event(({ event }) => event === 'footage-started');
});

test('decoding is clean over the end of footage that plays once, and pictures go on', async (t) => {
  const cam = await camera(t, { video: short, loop: false });
  assert.equal(await decode(cam.mainUrl, 9), '');
  await cam.event(({ event }) => event === 'footage-ended');
});

test('the lead-in begins with the first viewer and lasts as long as asked', async (t) => {
  const seen: string[] = [];
  const cam = await camera(t, { video: short, leadInS: 2, onEvent: ({ event }) => seen.push(event) });
  await delay(3_000);
  assert.deepEqual(seen, [], 'the scene moved although nobody watched');
  watch(t, cam.subUrl);
  const joined = await cam.event(({ event }) => event === 'viewers');
  const started = await cam.event(({ event }) => event === 'footage-started');
  assert.ok(started.atMs - joined.atMs >= 2_000, `the lead-in took ${started.atMs - joined.atMs} ms`);
});

test('a frozen camera sends nothing and goes on when the fault is over', async (t) => {
  const cam = await camera(t, { video: short });
  const viewer = watch(t, cam.mainUrl);
  await until('pictures come', () => viewer.luma.length > 5);
  cam.setFault('freeze');
  await cam.event((said) => said.event === 'fault' && said.fault === 'freeze');
  let count = -1;
  for (let quiet = 0; quiet < 15; quiet = count === viewer.luma.length ? quiet + 1 : 0) {
    count = viewer.luma.length;
    await delay(100);
  }
  cam.setFault(null);
  await until('pictures come again', () => viewer.luma.length > count + 20);
});

test('viewers that leave are forgotten, killed ones too', async (t) => {
  const counts: number[] = [];
  const cam = await camera(t, {
    video: short,
    onEvent: (said) => said.event === 'viewers' && counts.push(said.viewers),
  });
  assert.equal(await decode(cam.mainUrl, 1), '');
  await until('the polite one is gone', () => counts.at(-1) === 0);
  const args = ['-v', 'quiet', '-rtsp_transport', 'tcp', '-i', cam.mainUrl, '-f', 'null', '-'];
  const rude = spawn('ffmpeg', ['-nostdin', ...args], { stdio: 'ignore' });
  await until('the rude one watches', () => counts.at(-1) === 1);
  rude.kill('SIGKILL');
  await until('the rude one is gone', () => counts.at(-1) === 0);
});

test('the camera ends with the program that started it, however that ends', async () => {
  const args = [join(root, 'hardware/simulators/camera/main.ts'), '--video', short, '--cache', dir];
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string];
  const { ready, pid } = JSON.parse(line) as { ready: boolean; pid: number };
  assert.equal(ready, true);
  owner.kill('SIGKILL');
  const end = performance.now() + 30_000;
  while (!(await isGone(pid))) {
    assert.ok(performance.now() < end, 'the camera outlived its owner');
    await delay(50);
  }
});

test('a killed camera is told as gone, and stop is then a formality', async (t) => {
  const cam = await camera(t, { video: short });
  cam.kill('SIGKILL');
  assert.deepEqual(await cam.exited, { code: null, signal: 'SIGKILL' });
  await cam.stop();
});

test('a port that is taken is refused in one sentence', async (t) => {
  const { mainUrl } = await camera(t, { video: short });
  const port = Number(new URL(mainUrl).port);
  await assert.rejects(startCamera({ video: short, cacheDir: dir, port }), {
    message: `The camera did not start: Port ${port} on 127.0.0.1 is not free.`,
  });
});
