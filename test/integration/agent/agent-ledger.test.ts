import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { TwinReported } from '@dachawatch/contracts';
import Sqlite from 'better-sqlite3';
import { ledgerFile } from '../../../agent/ledger/database/database-files.ts';
import { takeOwnership } from '../../../agent/ledger/database/ownership.ts';
import { type CameraSimulator, startCamera } from '../../../hardware/simulators/camera/camera.ts';
import { makeVideo } from '../../fakes/media.ts';
import {
  type AgentProcess,
  isOpen,
  live,
  PATIENCE_MS,
  startAgent,
  type Status,
  tells,
  untilStatus,
} from './agent-process.ts';
import { until } from '../capture/capture-rig.ts';
import { addressOf, makeWorld, startHub, type TestHub, type World } from '../hub/hub-fixture.ts';

const FSCK = join(import.meta.dirname, '../../../scripts/lib/fsck/fsck.ts');
const DEVICE = 'dacha-1';

const clipIdsIn = (dataDir: string): string[] =>
  readdirSync(join(dataDir, 'clips/gate')).flatMap((name) => /^(.+)\.mp4(?:\.part)?$/.exec(name)?.[1] ?? []);

let home = '';
/** A data folder in which an agent has recorded. */
let recorded = '';
let recordedIds: string[] = [];
let camera: CameraSimulator;
let world: World;
let hub: TestHub;
let data = '';
let agents: AgentProcess[] = [];

async function start(dataDir: string, prefix?: readonly string[]): Promise<AgentProcess> {
  const agent = await startAgent(home, dataDir, prefix);
  agents.push(agent);
  return agent;
}

/** Cameras are watched within so long of a start, whatever is wrong; on a busy machine a start takes as long as it
 *  takes without any fault. */
const LIVE_MS = 10_000;
let healthyMs = 0;

function assertLiveInTime(agent: AgentProcess): void {
  const liveMs = agent.liveAfterMs() ?? assert.fail('no camera is live');
  assert.ok(
    liveMs <= LIVE_MS + 3 * healthyMs,
    `live after ${liveMs} ms, without a fault after ${healthyMs} ms`,
  );
}

/** Whatever is wrong: the camera is watched, the link is up, and page and twin say what it is. */
async function guardsAndTells(agent: AgentProcess, code: string): Promise<Status> {
  await untilStatus(agent, 'the camera is live', live);
  assertLiveInTime(agent);
  const status = await untilStatus(agent, `${code} is told`, tells(code));
  await untilStatus(agent, 'the link is up', ({ link }) => link.state === 'online');
  await until(
    `the twin tells ${code}`,
    () => {
      const { conditions = [] } = (hub.twins.get(DEVICE)?.reported ?? {}) as Partial<TwinReported>;
      return conditions.some((one) => one.code === code);
    },
    PATIENCE_MS,
  );
  return status;
}

/** Every clip that was there is there, the agent records on, and nothing is wrong when it has ended.
 *  @param prefix what runs the check, in a mount namespace for example */
async function asBefore(agent: AgentProcess, prefix: readonly string[] = []): Promise<void> {
  await untilStatus(agent, 'the ledger is open', isOpen);
  await until(
    'the clips of before',
    async () => {
      const ids = await agent.clipIds();
      return recordedIds.every((id) => ids.includes(id));
    },
    PATIENCE_MS,
  );
  const known = (await agent.clipIds()).length;
  await until('one more clip', async () => (await agent.clipIds()).length > known, PATIENCE_MS);
  await agent.stop();
  const [command, ...rest] = [...prefix, process.execPath, FSCK, '--data', data, '--json', '--deep'];
  const fsck = await promisify(execFile)(command, rest).catch((error: { stdout: string }) => error);
  assert.deepEqual((JSON.parse(fsck.stdout) as { problems: unknown[] }).problems, [], fsck.stdout);
}

before(async () => {
  home = mkdtempSync(join(tmpdir(), 'agent-ledger-'));
  mkdirSync(join(home, 'credentials'));
  world = await makeWorld();
  hub = await startHub(world, { devices: [DEVICE] });
  const { connectionString, mqttPort, httpsPort } = addressOf(hub, DEVICE);
  writeFileSync(join(home, 'credentials/iothub'), connectionString);
  const video = join(home, 'walk.mp4');
  await makeVideo(video, { seconds: 12, fps: 10, width: 320, height: 180, fromS: 4, toS: 9 });
  camera = await startCamera({ video, leadInS: 4, cacheDir: home });
  writeFileSync(
    join(home, 'appliance.json'),
    JSON.stringify({
      schema: 'dachawatch/appliance/1',
      deviceId: DEVICE,
      hub: {
        credential: 'iothub',
        mqttEndpoint: `localhost:${mqttPort}`,
        httpsEndpoint: `localhost:${httpsPort}`,
        caFile: world.certificates.caFile,
      },
      cameras: [{ id: 'gate', main: camera.mainUrl, sub: camera.subUrl }],
      recording: { preRollMs: 1_000, postRollMs: 3_000 },
      storage: {},
      power: {},
      dashboard: { port: 0 },
    }),
  );
  recorded = join(home, 'recorded');
  const agent = await start(recorded);
  await untilStatus(agent, 'the ledger is open', isOpen);
  await until('two finished clips', async () => (await agent.clipIds()).length >= 2, PATIENCE_MS);
  healthyMs = agent.liveAfterMs() ?? assert.fail();
  await agent.stop();
  recordedIds = clipIdsIn(recorded);
});
after(async () => {
  for (const agent of agents) await agent.stop();
  await camera?.stop();
  await hub?.stop();
  world?.remove();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => {
  data = mkdtempSync(join(home, 'data-'));
  cpSync(recorded, data, { recursive: true, preserveTimestamps: true });
});
afterEach(async () => {
  for (const agent of agents) await agent.stop();
  agents = [];
});

const damages: Readonly<Record<string, (file: string) => void>> = {
  'with forty flipped bits': (file) => {
    const bytes = readFileSync(file);
    for (let bit = 0; bit < 40; bit++) {
      const at = Math.floor((bytes.length * (bit + 0.5)) / 40);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8));
    }
    writeFileSync(file, bytes);
  },
  'cut in half': (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2)),
  'that is missing': (file) => rmSync(file),
};
for (const [what, damage] of Object.entries(damages))
  test(`with a ledger ${what} the cameras watch, page and twin tell, and every clip is there again by itself`, async () => {
    damage(ledgerFile(data));
    const agent = await start(data);
    await guardsAndTells(agent, 'ledger-rebuilt');
    await asBefore(agent);
  });

const locks: Readonly<Record<string, () => () => void>> = {
  'another agent owns': () => {
    const ownership = takeOwnership(data);
    return () => ownership.release();
  },
  'another program has locked': () => {
    const db = new Sqlite(ledgerFile(data));
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
    return () => void db.close();
  },
};
for (const [what, lock] of Object.entries(locks))
  test(`with a ledger that ${what} the cameras watch, page and twin tell, and it goes on when it is free`, async () => {
    const unlock = lock();
    const agent = await start(data);
    try {
      const status = await guardsAndTells(agent, 'ledger-unavailable');
      assert.equal(status.house.level, 'trouble');
      assert.equal(status.clips, null);
    } finally {
      unlock();
    }
    await asBefore(agent);
  });

test('what moves while another program has locked the ledger is recorded, and is a clip when the ledger is free', async () => {
  const unlock = locks['another program has locked']?.() ?? assert.fail();
  const agent = await start(data);
  let meanwhile = '';
  try {
    meanwhile = await until(
      'a clip file',
      () => clipIdsIn(data).find((clipId) => !recordedIds.includes(clipId)),
      PATIENCE_MS,
    );
  } finally {
    unlock();
  }
  await untilStatus(agent, 'the ledger is open', isOpen);
  await until('its row', async () => (await agent.clipIds()).includes(meanwhile), PATIENCE_MS);
  await asBefore(agent);
});

test('with a file in the place of the data folder the cameras watch, page and twin tell, and it goes on when the folder is back', async () => {
  const aside = `${data}-aside`;
  cpSync(data, aside, { recursive: true, preserveTimestamps: true });
  rmSync(data, { recursive: true });
  writeFileSync(data, 'not a folder');
  const agent = await start(data);
  await guardsAndTells(agent, 'ledger-unavailable');
  rmSync(data);
  cpSync(aside, data, { recursive: true, preserveTimestamps: true });
  await asBefore(agent);
});

const canMount =
  process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0;
const mounts = { skip: canMount ? false : 'this machine does not let us mount in a namespace of its own' };

/** A mount namespace of its own, which ends with the test. @returns what runs a command in it */
async function ownMounts(t: TestContext, mount: string): Promise<readonly string[]> {
  const holder = spawn('unshare', ['-m', 'sh', '-c', `${mount} && echo ready && exec cat >&2`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => holder.kill('SIGKILL'));
  assert.match(String(await once(holder.stdout, 'data')), /ready/);
  return ['nsenter', '-t', String(holder.pid), '-m'];
}

const inside = ([command = '', ...rest]: readonly string[], script: string) =>
  execFileSync(command, [...rest, 'sh', '-c', script]);

test(
  'with a data folder that is read-only the cameras watch, page and twin tell, and it goes on when it can be written',
  mounts,
  async (t) => {
    const disk = await ownMounts(t, `mount --bind "${data}" "${data}" && mount -o remount,bind,ro "${data}"`);
    const agent = await start(data, disk);
    const status = await guardsAndTells(agent, 'ledger-unavailable');
    assert.equal(status.house.level, 'trouble');
    inside(disk, `mount -o remount,bind,rw "${data}"`);
    await asBefore(agent, disk);
  },
);

test(
  'with a disk that is full the cameras watch, page and twin tell, and it records again when there is room',
  mounts,
  async (t) => {
    const fill = `(cat /dev/zero > "${data}/filler" 2>/dev/null || true)`;
    const disk = await ownMounts(
      t,
      `mount -t tmpfs -o size=450m x "${data}" && cp -rp "${recorded}/." "${data}" && ${fill}`,
    );
    const agent = await start(data, disk);
    const status = await guardsAndTells(agent, 'recording-refused');
    assert.equal(status.house.level, 'trouble');
    inside(disk, `rm "${data}/filler"`);
    await asBefore(agent, disk);
  },
);

test(
  'with a data folder that is not mounted yet the cameras watch, and it goes on with its ledger when it is',
  mounts,
  async (t) => {
    const aside = `${data}-aside`;
    renameSync(data, aside);
    mkdirSync(data);
    const disk = await ownMounts(t, 'true');
    const agent = await start(data, disk);
    await untilStatus(agent, 'the camera is live', live);
    assertLiveInTime(agent);
    inside(disk, `mount --bind "${aside}" "${data}"`);
    await asBefore(agent, disk);
    assert.doesNotMatch(agent.said(), /ledger-rebuilt/);
  },
);

test('with a data folder that is missing the cameras watch, and a new one is begun', async () => {
  rmSync(data, { recursive: true });
  const agent = await start(data);
  await untilStatus(agent, 'the camera is live', live);
  assertLiveInTime(agent);
  await untilStatus(agent, 'the link is up', ({ link }) => link.state === 'online');
  await until('a clip', async () => (await agent.clipIds()).length > 0, PATIENCE_MS);
});
