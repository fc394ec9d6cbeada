/** Boots the guest that scripts/hil has made, and listens to its console. */
import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One observation that a program in the guest has made: test/hil/qemu/guest/say.ts. */
export interface Fact {
  readonly fact: string;
  readonly [field: string]: unknown;
}

export interface Guest {
  /** All observations of that name until now. */
  facts(name: string): Fact[];
  /** The only observation of that name. */
  fact(name: string): Fact;
  /** Resolves when QEMU has ended, by itself or by the deadline. */
  readonly ended: Promise<{ readonly code: number | null; readonly tooLate: boolean }>;
  /** Lines of the console. */
  console(): readonly string[];
  /** Keeps the console in a file; the sentence says where, and how it ended. */
  keep(): Promise<string>;
  kill(): void;
}

const GUEST_VARIABLE = 'DACHAWATCH_HIL_GUEST';
const KERNEL_WORDS =
  'console=ttyS0 root=/dev/vda nokaslr mitigations=off audit=0 selinux=0 apparmor=0 tsc=reliable quiet TERM=dumb';
/** For a person who looks at what is kept. */
const TAIL_LINES = 40;

/** @param program PID 1 in the guest; absent: systemd
 *  @param deadlineMs QEMU is ended then, whatever the guest does */
export function bootGuest({ program, deadlineMs }: { program?: string; deadlineMs: number }): Guest {
  const dir = process.env[GUEST_VARIABLE];
  if (!dir) throw new Error(`${GUEST_VARIABLE} is not set: these tests are run by scripts/hil qemu`);
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-M', 'q35,hpet=off', '-nodefaults', '-accel', 'tcg', '-cpu', 'max', '-m', '512'],
      ...['-kernel', join(dir, 'vmlinux'), '-initrd', join(dir, 'initrd')],
      ...[
        '-append',
        `${KERNEL_WORDS} ${program ? `hilinit=${program}` : 'systemd.show_status=yes systemd.log_level=notice'}`,
      ],
      ...['-drive', `file=${join(dir, 'root.img')},format=raw,if=virtio,snapshot=on`],
      ...['-serial', 'stdio', '-display', 'none', '-no-reboot'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  const wholeLines = () => text.split('\n').slice(0, -1);
  const startedMs = performance.now();
  const told = new Set<string>();
  /** What it is at, once for each kind of observation: a person waits here for a minute. */
  const tell = () => {
    for (const fact of wholeLines().map(parseFact)) {
      const about = fact?.fact.split('.')[0];
      if (about === undefined || told.has(about)) continue;
      told.add(about);
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      process.stderr.write(`  ${seconds} s: the guest is at "${about}"\n`);
    }
  };
  for (const stream of [qemu.stdout, qemu.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk.replaceAll('\r', '');
      if (chunk.includes('\n')) tell();
    });
  let tooLate = false;
  const deadline = setTimeout(() => {
    tooLate = true;
    qemu.kill('SIGKILL');
  }, deadlineMs);
  const { promise: ended, resolve, reject } = Promise.withResolvers<Awaited<Guest['ended']>>();
  qemu.on('error', reject);
  qemu.on('close', (code) => {
    clearTimeout(deadline);
    resolve({ code, tooLate });
  });
  // Ends with this process, also when that is told to end by a signal.
  const kill = () => void qemu.kill('SIGKILL');
  process.once('exit', kill);

  const facts = (name: string) =>
    wholeLines()
      .map(parseFact)
      .filter((fact) => fact?.fact === name)
      .filter((fact) => fact !== undefined);
  return {
    ended,
    facts,
    fact(name) {
      const [found, ...more] = facts(name);
      if (!found) throw new Error(`the guest has not said ${name}`);
      if (more.length > 0) throw new Error(`the guest has said ${name} ${more.length + 1} times`);
      return found;
    },
    console: wholeLines,
    async keep() {
      const file = join(await mkdtemp(join(tmpdir(), 'dachawatch-hil-console-')), 'console.log');
      await writeFile(file, text);
      const end = text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-TAIL_LINES);
      return `${end.join('\n')}\nThe whole console of the guest is kept in ${file}`;
    },
    kill,
  };
}

function parseFact(line: string): Fact | undefined {
  const at = line.indexOf('@hil {');
  if (at < 0) return undefined;
  try {
    return JSON.parse(line.slice(at + '@hil '.length)) as Fact;
  } catch {
    return { fact: 'garbled', line };
  }
}
