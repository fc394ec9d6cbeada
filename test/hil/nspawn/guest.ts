import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const UNIT = 'dachawatch-agent.service';
export const STATE = '/var/lib/dachawatch';
export const PROGRAM = '/usr/lib/dachawatch/current';

const BOOT_MS = 60_000;
const OFF_MS = 90_000;

/** What a command in the guest gave. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
}

/** A Debian with systemd as PID 1, the agent installed, in a container with the network of this machine.
 *  Devices are guarded as on a real machine: the container may load the BPF programs of DeviceAllow=. */
export interface Guest {
  /** Folder of its files, seen from here. */
  readonly root: string;
  /** Runs a command as root in it. */
  run(...command: string[]): Promise<Outcome>;
  /** As `run`; fails the test when the command fails. @returns what it printed, without the last line break */
  must(...command: string[]): Promise<string>;
  /** A property of the agent's unit. */
  unit(property: string): Promise<string>;
  /** What the journal has of a unit, since the boot. */
  journal(unit?: string): Promise<string>;
  /** Writes a file before or while it runs. */
  write(path: string, content: string, mode?: number): void;
  read(path: string): string;
  /** Resolves when the container is off. */
  readonly off: Promise<void>;
  /** Powers it off where it is still on, and removes its files. */
  close(): Promise<void>;
}

/** Asks until there is an answer. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs: number,
  context: () => string | Promise<string> = () => '',
): Promise<T> {
  const endAt = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > endAt)
      assert.fail(`waited ${withinMs / 1000} s in vain: ${what}\n${await context()}`);
    await delay(100);
  }
}

/** Boots one. `scripts/hil nspawn` says where its files are, and cleans up what a killed test leaves.
 *  @param prepare writes what lies in it before it boots
 *  @param binds folders of this machine that it sees, read only: HERE:THERE */
export async function bootGuest(
  prepare: (write: Guest['write']) => void,
  { binds = [] as readonly string[] } = {},
): Promise<Guest> {
  const { DACHAWATCH_HIL_WORK: work, DACHAWATCH_HIL_LOWER: lower } = process.env;
  assert.ok(work && lower, 'these tests are run by scripts/hil nspawn');
  const dir = mkdtempSync(join(work, 'guest-'));
  const root = join(dir, 'root');
  for (const name of ['upper', 'work', 'root']) mkdirSync(join(dir, name));
  const layers = `lowerdir=${lower},upperdir=${join(dir, 'upper')},workdir=${join(dir, 'work')}`;
  execFileSync('mount', ['-t', 'overlay', '-o', layers, 'overlay', root]);

  const write: Guest['write'] = (path, content, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode });
  };
  // A minimal system does not know it.
  write('/etc/hosts', '127.0.0.1 localhost\n');
  prepare(write);

  const cgroups = ownCgroups(basename(dir));
  const container = spawn(
    'sh',
    [
      // Two containers in one cgroup would take each other for their own.
      ...['-c', 'until [ "$1" = -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"', 'sh'],
      ...[...cgroups, '--', 'systemd-nspawn'],
      ...['--quiet', '--directory', root, '--boot', '--register=no', '--keep-unit', '--console=pipe'],
      ...['--capability=CAP_BPF,CAP_SYS_ADMIN', '--system-call-filter=bpf', `--machine=${basename(dir)}`],
      ...binds.map((bind) => `--bind-ro=${bind}`),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' } },
  );
  let said = '';
  for (const stream of [container.stdout, container.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
  let isOff = false;
  const off = new Promise<void>((resolve) =>
    container.once('close', () => {
      isOff = true;
      resolve();
    }),
  );

  const run: Guest['run'] = (...command) =>
    new Promise((resolve) => {
      // Asked each time: while it boots, the first child is not yet the one that stays.
      const leader = `${firstChildOf(container.pid ?? 0)}`;
      const options = {
        timeout: 120_000,
        maxBuffer: 1 << 26,
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      };
      execFile('nsenter', ['-t', leader, '-a', '--', ...command], options, (error, stdout, stderr) => {
        const code = error ? Number(error.code ?? 128) : 0;
        resolve({ code, out: stdout + stderr });
      });
    });
  const must: Guest['must'] = async (...command) => {
    const { code, out } = await run(...command);
    assert.equal(code, 0, `${command.join(' ')}: exit code ${code}\n${out}`);
    return out.trimEnd();
  };

  const guest: Guest = {
    root,
    run,
    must,
    unit: (property) => must('systemctl', 'show', '--property', property, '--value', UNIT),
    journal: (unit = UNIT) => must('journalctl', '--boot', '--no-pager', '--output=cat', '--unit', unit),
    write,
    read: (path) => readFileSync(join(root, path), 'utf8'),
    off,
    async close() {
      if (!isOff) container.kill('SIGTERM');
      const kill = setTimeout(() => container.kill('SIGKILL'), OFF_MS);
      await off;
      clearTimeout(kill);
      execFileSync('umount', [root]);
      rmSync(dir, { recursive: true, force: true });
      for (const cgroup of cgroups)
        execFileSync('find', [cgroup, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
    },
  };
  try {
    await until(
      'systemd has booted',
      async () =>
        !isOff && /running|degraded|starting/.test((await run('systemctl', 'is-system-running')).out),
      BOOT_MS,
      () => said,
    );
  } catch (error) {
    await guest.close();
    throw error;
  }
  return guest;
}

/** Makes a cgroup below ours in each tree that systemd uses: of version 2, and by the name systemd on older machines. */
function ownCgroups(name: string): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const mountOf = (tree: string) =>
    mounts.find(([, , type, options = '']) =>
      tree === '' ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes(tree),
    )?.[1];
  return readFileSync('/proc/self/cgroup', 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [, tree = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      const mount = ['', 'name=systemd'].includes(tree) ? mountOf(tree) : undefined;
      return mount === undefined ? [] : [join(mount, path, `dachawatch-hil-${name}`)];
    })
    .map((cgroup) => {
      mkdirSync(cgroup);
      return cgroup;
    });
}

/** 0 when there is none. */
function firstChildOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}
