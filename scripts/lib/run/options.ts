/** Arguments of `scripts/run`; its help stands there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PRE_ROLL_MAX_MS } from '@dachawatch/contracts';
import {
  decimal,
  flag,
  quoted,
  readArguments,
  requireNoWords,
  text,
  texts,
  whole,
} from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { needFile, refuseInCheckout, refuseShared } from '../command/folders.ts';
import { repoRoot, stateDir } from '../places.ts';
import { askHidden, holdsLogin, loginVariable } from './camera-logins.ts';
import { upsSockets } from './local-stack.ts';

export type RunOptions = ReturnType<typeof readRunOptions>;

const SCENARIOS = join(repoRoot, 'hardware/simulators/ups/scenarios');
/** Longest path of a Unix socket on Linux. */
const SOCKET_PATH_MAX = 107;
/** The footage is ours to show, as a camera is not. */
const OF_FOOTAGE = ['lead-in', 'once'] as const;

/** @throws Refusal with a sentence when the arguments make no sense */
export function readRunOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/run', args, {
    video: text,
    'lead-in': decimal(0, 3_600),
    once: flag,
    camera: texts,
    sub: texts,
    'camera-login': texts,
    // Of scripts/lib/run/hide-logins.sh.
    'hidden-login': text,
    data: text,
    port: whole(0, 65_535),
    'pre-roll': decimal(0, PRE_ROLL_MAX_MS / 1_000),
    'post-roll': decimal(1, 300),
    ups: text,
    'until-verdict': flag,
    timeout: { ...decimal(1, 86_400), with: ['until-verdict'] },
    json: { ...flag, with: ['until-verdict'] },
  });
  requireNoWords(words);
  const { camera: main, sub, video, 'camera-login': files } = values;
  if (main.length > 0 && video !== undefined)
    throw new Refusal('--video makes a camera of a file and --camera uses real ones: give one of the two');
  if (main.length !== sub.length)
    throw new Refusal(
      'each --camera needs a --sub: the address of the small stream of the same camera, which is decoded to look for motion',
    );
  const useless = OF_FOOTAGE.find(
    (name) => main.length > 0 && values[name] !== undefined && values[name] !== false,
  );
  if (useless !== undefined)
    throw new Refusal(`--${useless} has no effect with --camera: it is about footage`);
  if (main.length === 0 && files.length > 0)
    throw new Refusal('--camera-login is for real cameras: name them with --camera and --sub');
  if (video !== undefined) needFile('--video', resolve(video));
  const dataDir = resolve(values.data ?? join(stateDir(), 'run'));
  refuseInCheckout('the data folder', dataDir);
  refuseShared('the data folder', dataDir);
  const shown = unhide([...main, ...sub, values['hidden-login']]);
  return {
    video: video === undefined ? undefined : resolve(video),
    leadInS: values['lead-in'] ?? 10,
    loop: !values.once,
    logins: {
      main: main.map(shown),
      sub: sub.map(shown),
      files,
      environment: loginVariable(
        values['hidden-login'] === undefined ? undefined : shown(values['hidden-login']),
      ),
      ask: process.stdin.isTTY && process.stderr.isTTY ? askHidden : undefined,
    },
    exposed: [...main, ...sub].some((address) => holdsLogin(shown(address))),
    dataDir,
    upsScenario: values.ups === undefined ? undefined : scenarioFile(values.ups, dataDir),
    port: values.port ?? 8_080,
    recording: {
      preRollMs: Math.round((values['pre-roll'] ?? 5) * 1_000),
      postRollMs: Math.round((values['post-roll'] ?? 30) * 1_000),
    },
    untilVerdict: values['until-verdict'],
    timeoutS: values.timeout ?? 300,
    json: values.json,
  };
}

/** A scenario by its name, or a file. */
function scenarioFile(given: string, dataDir: string): string {
  if (upsSockets(dataDir).control.length > SOCKET_PATH_MAX)
    throw new Refusal(
      `the path of the data folder is too long for the socket of the UPS: give a shorter --data`,
    );
  const named = join(SCENARIOS, `${given}.json`);
  if (/^[a-z0-9-]+$/.test(given) && existsSync(named)) return named;
  if (existsSync(given)) return resolve(given);
  const names = readdirSync(SCENARIOS).map((file) => file.replace(/\.json$/, ''));
  throw new Refusal(`--ups takes a scenario file or one of ${names.join(', ')}; ${quoted(given)} is neither`);
}

const HIDDEN = /^hidden:(\d+)$/;
const HIDDEN_FD = 8;

/** What `scripts/lib/run/hide-logins.sh` took out of the arguments and the environment.
 *  @returns gives each value as it was */
function unhide(values: readonly (string | undefined)[]): (value: string) => string {
  if (!values.some((value) => value !== undefined && HIDDEN.test(value))) return (value) => value;
  let lines: readonly string[];
  try {
    lines = readFileSync(HIDDEN_FD, 'utf8').split('\n');
  } catch {
    throw new Refusal('hidden: is no address');
  }
  return (value) => {
    const line = HIDDEN.exec(value)?.[1];
    return line === undefined ? value : (lines[Number(line) - 1] ?? '');
  };
}
