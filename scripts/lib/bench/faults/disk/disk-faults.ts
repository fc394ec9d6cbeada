/** Makes file-system calls of another process fail, by rules that can change while it runs. */
import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Unable } from '../../../command/ends.ts';

/** Bits; the layout is that of disk-faults.c. */
export const CALLS = {
  open: 1,
  'open to write': 2,
  read: 4,
  write: 8,
  sync: 16,
  rename: 32,
  unlink: 64,
  truncate: 128,
  mkdir: 256,
  stat: 512,
  list: 1024,
} as const;
export const PLACES = { 'part file': 1, 'clip file': 2, database: 4, folder: 8, 'other file': 16 } as const;
const ACTIONS = {
  fail: 1,
  'short write, then error': 2,
  'short write, then kill': 3,
  'kill before': 4,
  'kill after': 5,
  'flip a bit': 6,
  'sync fails and loses': 7,
} as const;

export type Call = keyof typeof CALLS;
export type Place = keyof typeof PLACES;
export type DiskAction = keyof typeof ACTIONS;
export type DiskError = 'ENOSPC' | 'EIO' | 'EROFS';

/** One rule: the calls of these kinds at these places are counted; those from `after` on, `times` of them, go wrong. */
export interface DiskFault {
  readonly calls: readonly Call[];
  readonly places: readonly Place[];
  readonly after: number;
  readonly times: number;
  readonly action: DiskAction;
  readonly error?: DiskError;
  /** Which bit is turned, or where a write is cut. */
  readonly param: number;
}

const HEADER_BYTES = 64;
const RULE_BYTES = 64;
const RULES_MAX = 16;
const FIRED_AT = 32;

/** Compiles the library that stands between a program and the file system.
 *  @throws Unable when there is no C compiler, or the C library cannot be stood before */
export async function buildDiskFaults(dir: string): Promise<string> {
  const library = join(dir, 'disk-faults.so');
  const source = join(import.meta.dirname, 'disk-faults.c');
  try {
    await promisify(execFile)('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
    await requireInterposing(library, dir);
  } catch (error) {
    throw new Unable(
      `file-system calls cannot be made to fail on this machine, so nothing was tried: ${(error as Error).message}`,
    );
  }
  return library;
}

/** Sees that a call of our Node does fail. */
async function requireInterposing(library: string, dir: string): Promise<void> {
  const rules = createDiskRules(library, join(dir, 'try.page'), dir);
  rules.set([
    { calls: ['open'], places: ['other file'], after: 0, times: 1, action: 'fail', error: 'EIO', param: 0 },
  ]);
  const program = `require('node:fs').readFileSync(${JSON.stringify(library)})`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-e', `try { ${program} } catch ({ code }) { process.stdout.write(code) }`],
    { env: rules.environment },
  );
  rules.close();
  if (stdout !== 'EIO') throw new Error('LD_PRELOAD has no effect on this Node');
}

/** The rules of one process, or of one after another with the same page. */
export interface DiskRules {
  /** What the process must have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** In place of those before. */
  set(faults: readonly DiskFault[]): void;
  /** How many calls went wrong since `set`. */
  fired(): number;
  close(): void;
}

export function createDiskRules(library: string, pageFile: string, root: string): DiskRules {
  const fd = openSync(pageFile, 'w+', 0o600);
  writeSync(fd, Buffer.alloc(HEADER_BYTES + RULES_MAX * RULE_BYTES), 0, undefined, 0);
  let count = 0;
  const setCount = (rules: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(rules);
    writeSync(fd, bytes, 0, 4, 4);
    count = rules;
  };
  return {
    environment: { LD_PRELOAD: library, DACHA_FAULTS_PAGE: pageFile, DACHA_FAULTS_ROOT: root },
    set(faults) {
      // None while they are written.
      setCount(0);
      const rules = faults.slice(0, RULES_MAX).map(encode);
      if (rules.length > 0) writeSync(fd, Buffer.concat(rules), 0, undefined, HEADER_BYTES);
      setCount(rules.length);
    },
    fired() {
      const bytes = Buffer.alloc(RULE_BYTES * RULES_MAX);
      readSync(fd, bytes, 0, bytes.length, HEADER_BYTES);
      let sum = 0;
      for (let rule = 0; rule < count; rule++) sum += bytes.readUInt32LE(rule * RULE_BYTES + FIRED_AT);
      return sum;
    },
    close: () => closeSync(fd),
  };
}

function encode({ calls, places, after, times, action, error, param }: DiskFault): Buffer {
  const bits = (names: readonly string[], of: Readonly<Record<string, number>>) =>
    names.reduce((sum, name) => sum | (of[name] ?? 0), 0);
  const bytes = Buffer.alloc(RULE_BYTES);
  const numbers = [bits(calls, CALLS), bits(places, PLACES), after, times, ACTIONS[action]];
  for (const [index, number] of numbers.entries()) bytes.writeUInt32LE(number, index * 4);
  bytes.writeInt32LE(error ? errnoOf(error) : 0, 20);
  bytes.writeUInt32LE(param >>> 0, 24);
  return bytes;
}

const errnoOf = (error: DiskError): number => (error === 'EROFS' ? 30 : constants.errno[error]);

export function describeDisk({ calls, places, after, times, action, error }: DiskFault): string {
  const what = error ? `${action} ${error}` : action;
  const more = times > 1 ? ` and ${times - 1} more` : '';
  return `${what} at ${calls.join('/')} of ${places.join('/')}, call ${after + 1}${more}`;
}
