import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import type { TwinReported } from '@dachawatch/contracts';
import Sqlite from 'better-sqlite3';
import { ledgerFile } from '../../agent/ledger/database-files.ts';
import { takeOwnership } from '../../agent/ledger/ownership.ts';
import { type CameraSimulator, startCamera } from '../../hardware/simulators/camera/camera.ts';
import { makeVideo } from '../fakes/media.ts';
import { until } from './capture-rig.ts';
import { addressOf, makeWorld, startHub, type TestHub, type World } from './hub-fixture.ts';

const ROOT = join(import.meta.dirname, '../..');
const PATIENCE_MS = 120_000;
const DEVICE = 'dacha-1';

interface Status {
  readonly cameras: readonly { readonly state: string }[];
  readonly clips: { readonly total: number } | null;
  readonly conditions: readonly { readonly code: string; readonly detail: string }[];
  readonly house: { readonly level: string };
  readonly link: { readonly state: string };
}

interface Agent {
  readonly process: ChildProcess;
  readonly said: () => string;
  readonly status: () => Promise<Status>;
  readonly clipIds: () => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

let home = '';
/** A data folder in which an agent has recorded. */
let recorded = '';
let recordedIds: string[] = [];
let camera: CameraSimulator;
let world: World;
let hub: TestHub;
let data = '';
let agents: Agent[] = [];

/** @param prefix what runs the agent, in a mount namespace for example */
async function startAgent(dataDir: string, prefix: readonly string[] = []): Promise<Agent> {
  const args = [
    ...[process.execPath, join(ROOT, 'agent/main.ts'), '--config', join(home, 'appliance.json')],
    ...['--data', dataDir, '--credentials', join(home, 'credentials')],
  ];
  const [command = '', ...rest] = [...prefix, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'exit');
  let page = '';
  child.on('message', (message) => (page = (message as { dashboard?: string }).dashboard ?? page));
  const read = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${page}${path}`);
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()) as T;
  };
  const agent: Agent = {
    process: child,
    said: () => log,
    status: () => read<Status>('/api/status'),
    clipIds: async () =>
      (await read<{ clips: { clipId: string }[] }>('/api/clips?limit=100')).clips.map(({ clipId }) => clipId),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await ended;
    },
  };
  agents.push(agent);
  await until(
    'the page',
    () => {
      assert.equal(child.exitCode, null, log);
      return page !== '';
    },
    PATIENCE_MS,
  );
  return agent;
}

async function untilStatus(agent: Agent, what: string, holds: (status: Status) => boolean): Promise<Status> {
  return await until(
    what,
    async () => {
      assert.equal(agent.process.exitCode, null, agent.said());
      const status = await agent.status();
      return holds(status) && status;
    },
    PATIENCE_MS,
  );
}

/** Whatever is wrong: the camera is watched, the link is up, and page and twin say what it is. */
async function guardsAndTells(agent: Agent, code: string): Promise<Status> {
  await untilStatus(agent, 'the camera is live', live);
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

const live = ({ cameras }: Status) => cameras.length > 0 && cameras.every(({ state }) => state === 'live');
const tells = (code: string) => (status: Status) => status.conditions.some((one) => one.code === code);
const isOpen = (status: Status) => status.clips !== null && !tells('ledger-unavailable')(status);

/** Every clip that was there is there, the agent records on, and nothing is wrong when it has ended. */
async function asBefore(agent: Agent, dataDir = data): Promise<void> {
  await untilStatus(agent, 'the ledger is open', isOpen);
  await until('the clips of before', async () => {
    const ids = await agent.clipIds();
    return recordedIds.every((id) => ids.includes(id));
  });
  await until('one more clip', async () => (await agent.clipIds()).length > recordedIds.length, PATIENCE_MS);
  await agent.stop();
  const fsck = await promisify(execFile)(process.execPath, [
    join(ROOT, 'scripts/lib/fsck.ts'),
    ...['--data', dataDir, '--json', '--deep'],
  ]);
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
  await makeVideo(video, { seconds: 12, fps: 10, fromS: 4, toS: 9 });
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
  const agent = await startAgent(recorded);
  await untilStatus(agent, 'the ledger is open', isOpen);
  await until('two finished clips', async () => (await agent.clipIds()).length >= 2, PATIENCE_MS);
  await agent.stop();
  recordedIds = readdirSync(join(recorded, 'clips/gate')).map((name) => name.replace(/\.mp4.*$/, ''));
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
    const agent = await startAgent(data);
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
    const agent = await startAgent(data);
    try {
      const status = await guardsAndTells(agent, 'ledger-unavailable');
      assert.equal(status.house.level, 'trouble');
      assert.equal(status.clips, null);
    } finally {
      unlock();
    }
    await asBefore(agent);
  });

test('with a file in the place of the data folder the cameras watch, page and twin tell, and it goes on when the folder is back', async () => {
  const aside = `${data}-aside`;
  cpSync(data, aside, { recursive: true, preserveTimestamps: true });
  rmSync(data, { recursive: true });
  writeFileSync(data, 'not a folder');
  const agent = await startAgent(data);
  await guardsAndTells(agent, 'ledger-unavailable');
  rmSync(data);
  cpSync(aside, data, { recursive: true, preserveTimestamps: true });
  await asBefore(agent);
});

const canMount =
  process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0;
const mounts = { skip: canMount ? false : 'this machine does not let us mount in a namespace of its own' };

/** Runs a shell command in the mount namespace of an agent. */
const inside = (agent: Agent, command: string) =>
  execFileSync('nsenter', ['-t', String(agent.process.pid), '-m', 'sh', '-c', command]);

test(
  'with a data folder that is read-only the cameras watch, page and twin tell, and it goes on when it can be written',
  mounts,
  async () => {
    const mount = `mount --bind "${data}" "${data}" && mount -o remount,bind,ro "${data}" && exec "$0" "$@"`;
    const agent = await startAgent(data, ['unshare', '-m', 'sh', '-c', mount]);
    const status = await guardsAndTells(agent, 'ledger-unavailable');
    assert.equal(status.house.level, 'trouble');
    inside(agent, `mount -o remount,bind,rw "${data}"`);
    await asBefore(agent);
  },
);

test('with a full disk the cameras watch, the link is up and the page tells', mounts, async () => {
  const mount = [
    `mount -t tmpfs -o size=24m x "${data}" && cp -rp "${recorded}/." "${data}"`,
    `(cat /dev/zero > "${data}/filler" 2>/dev/null || true) && exec "$0" "$@"`,
  ].join(' && ');
  const agent = await startAgent(data, ['unshare', '-m', 'sh', '-c', mount]);
  await untilStatus(agent, 'the camera is live', live);
  await untilStatus(
    agent,
    'it is told',
    ({ house, conditions }) => house.level === 'trouble' && conditions.length > 0,
  );
  await untilStatus(agent, 'the link is up', ({ link }) => link.state === 'online');
  await agent.stop();
});
