import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { COMPILED_CODE } from '../compiled-code.ts';

const COMMAND = join(import.meta.dirname, '../../../scripts/lib/camera/camera.ts');
const LONGEST_MS = 180_000;

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `scripts/camera` as a program does: nobody is at the terminal. */
export async function camera(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...COMPILED_CODE, ...environment },
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return { code, stdout, stderr };
}

/** What `--json` printed. */
export const json = <T>({ stdout }: Said): T => JSON.parse(stdout) as T;

export function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-camera-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** @param login `user:password` */
export function loginFile(dir: string, login: string): string {
  const file = join(dir, 'login');
  writeFileSync(file, login, { mode: 0o600 });
  return file;
}
