import { spawn } from 'node:child_process';
import { Refusal } from '../command/ends.ts';

/** Azure's own command line. */
export interface Az {
  /** Runs `az` with these words and reads its JSON.
   *  @param what is done, for a sentence when it fails
   *  @throws Refusal when there is no `az`; Error with the last line that it said when it fails */
  ask(what: string, words: readonly string[]): Promise<unknown>;
}

const STILL_MS = 30_000;
/** A hub takes a few minutes, a registry one; more than an hour is no deployment. */
const LONGEST_MS = 3_600_000;

/** @param say tells that something long goes on */
export function createAz(signal: AbortSignal, say: (text: string) => void): Az {
  return {
    ask: (what, words) =>
      new Promise((resolve, reject) => {
        const child = spawn('az', [...words, '--output', 'json'], {
          stdio: ['ignore', 'pipe', 'pipe'],
          signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
        });
        const startedMs = performance.now();
        const still = setInterval(
          () => say(`  still at it (${Math.round((performance.now() - startedMs) / 1000)} s)`),
          STILL_MS,
        );
        let [out, said] = ['', ''];
        child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
        child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
        child.once('error', (error: NodeJS.ErrnoException) => {
          clearInterval(still);
          reject(
            error.code === 'ENOENT'
              ? new Refusal('there is no az; install the Azure CLI, and sign in with az login')
              : error,
          );
        });
        child.once('close', (code) => {
          clearInterval(still);
          const last = said.trim().split('\n').at(-1) ?? '';
          if (code !== 0) return reject(new Error(`${what} failed: ${last || `az ended with ${code}`}`));
          const answer = jsonOf(out);
          if (answer === BROKEN) reject(new Error(`${what}: az answered with something that is no JSON`));
          else resolve(answer);
        });
      }),
  };
}

const BROKEN = Symbol('no JSON');

function jsonOf(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return BROKEN;
  }
}
