import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeVideo } from '../fakes/media.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/run');

/** One `scripts/run`, as a person starts it. */
export interface Product {
  readonly pid: number;
  /** What it said so far. */
  said(): string;
  /** Resolves when it ends by itself or was told to. */
  readonly ended: Promise<{
    code: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
  }>;
  /** Where the page answers, once it does. */
  page(): Promise<string>;
  signal(name: NodeJS.Signals): void;
}

export interface Place {
  readonly data: string;
  /** A video of 16 s in which something crosses the picture from the first second to second `toS`. Played again and
   *  again, it makes the product record. */
  crossing(toS: number): Promise<string>;
  start(args: readonly string[]): Product;
  /** Ends what still runs here and removes the folder. */
  close(): Promise<void>;
}

/** A data folder of its own, and the products that use it. */
export function createPlace(): Place {
  const data = mkdtempSync(join(tmpdir(), 'dachawatch-system-'));
  const running: { child: ChildProcess; ended: Promise<unknown> }[] = [];
  return {
    data,
    async crossing(toS) {
      const video = join(data, 'box.mp4');
      await makeVideo(video, { seconds: 16, fps: 10, fromS: 1, toS });
      return video;
    },
    start(args) {
      const child = spawn(
        SCRIPT,
        [...without(args, '--data', data), ...without(args, '--port', '0'), ...args],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const ended = new Promise<Awaited<Product['ended']>>((resolve) =>
        child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
      );
      running.push({ child, ended });
      const said = () => stdout + stderr;
      return {
        pid: child.pid ?? 0,
        said,
        ended,
        page: () =>
          until('the page answers', () => /the page is at (http:\S+)/.exec(said())?.[1], 240_000, said),
        signal: (name) => void child.kill(name),
      };
    },
    async close() {
      for (const { child, ended } of running) {
        child.kill('SIGTERM');
        await ended;
      }
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** An option with its usual value, unless it is among the arguments. */
const without = (args: readonly string[], option: string, value: string): readonly string[] =>
  args.includes(option) ? [] : [option, value];

/** Asks until there is an answer. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs: number,
  context: () => string = () => '',
): Promise<T> {
  const endAt = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > endAt) assert.fail(`waited ${withinMs / 1000} s in vain: ${what}\n${context()}`);
    await delay(100);
  }
}

interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Every process of this machine, as /proc tells. */
function processes(): ProcessFacts[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const zombie = /^State:\s+Z/m.test(status);
        const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
        return zombie ? [] : [{ pid: Number(name), parent, command }];
      } catch {
        return []; // It ended while we looked.
      }
    });
}

/** The processes of the product in `data`, by the name a person would give them. */
export function pidsOf(data: string): Map<string, number> {
  const file = join(data, 'log/processes.json');
  const named = new Map<string, number>(
    Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>),
  );
  const all = processes();
  const childOf = (name: string, program: string) =>
    all.find(({ parent, command }) => parent === named.get(name) && command.includes(program))?.pid;
  const capture = childOf('agent', 'capture/child/main.ts');
  const worker = childOf('functions-host', 'yolo/worker.ts');
  if (capture) named.set('capture', capture);
  if (worker) named.set('worker', worker);
  return named;
}

/** Processes that still have anything to do with the folder, or were known by one of these ids. */
export const leftovers = (data: string, pids: readonly number[]): string[] =>
  processes()
    .filter(({ pid, command }) => command.includes(data) || pids.includes(pid))
    .map(({ pid, command }) => `${pid} ${command}`);

export interface PageClip {
  readonly clipId: string;
  readonly state: string;
  readonly sealedUtc: string | null;
  readonly uploadedUtc: string | null;
  readonly verdict: { readonly verdict: string; readonly revision: number } | null;
  readonly video: string | null;
  readonly bestFrame: string | null;
}

export async function clipsOf(page: string): Promise<PageClip[]> {
  try {
    const answer = await fetch(`${page}/api/clips?limit=100`, { signal: AbortSignal.timeout(5_000) });
    // 503 while the ledger is being opened.
    return answer.ok ? ((await answer.json()) as { clips: PageClip[] }).clips : [];
  } catch {
    return []; // The agent is being killed or restarted.
  }
}

/** What `scripts/hub` prints about the product in `data`.
 *  @throws when it refuses */
export async function hub(data: string, ...args: readonly string[]): Promise<string> {
  const script = join(import.meta.dirname, '../../scripts/hub');
  return (await promisify(execFile)(script, [...args, '--data', data])).stdout;
}
