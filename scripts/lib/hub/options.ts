/** Arguments of `scripts/hub`; its help stands there. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../../../agent/kernel/failure.ts';
import { type Patch, readPatch } from './patch.ts';
import { stateDir } from '../places.ts';

export type Command =
  | { readonly name: 'list' }
  | { readonly name: 'twin'; readonly device: string }
  | {
      readonly name: 'desired';
      readonly device: string;
      readonly patch: Patch;
      readonly waitS: number | undefined;
    }
  | {
      readonly name: 'call';
      readonly device: string;
      readonly method: string;
      readonly payload: unknown;
      readonly timeoutS: number;
      readonly save: string | undefined;
    }
  | {
      readonly name: 'watch';
      readonly device: string | undefined;
      readonly sinceS: number | undefined;
      readonly untilNow: boolean;
    };

const OPTIONS = {
  data: { type: 'string' },
  json: { type: 'boolean' },
  unset: { type: 'string', multiple: true },
  wait: { type: 'string' },
  timeout: { type: 'string' },
  save: { type: 'string' },
  since: { type: 'string' },
  'until-now': { type: 'boolean' },
} as const;
/** Which options a command has beside --data and --json, and how many words may follow it. */
const COMMANDS = {
  list: { options: [], words: [0, 0], shape: 'list' },
  twin: { options: [], words: [1, 1], shape: 'twin DEVICE' },
  desired: { options: ['unset', 'wait'], words: [1, 100], shape: 'desired DEVICE PATH=VALUE…' },
  call: { options: ['timeout', 'save'], words: [2, 3], shape: 'call DEVICE METHOD [JSON]' },
  watch: { options: ['since', 'until-now'], words: [0, 1], shape: 'watch [DEVICE]' },
} as const;

const usage = (message: string) => new Failure('rejected', 'hub.usage', message);

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usage(`${(error as Error).message} (scripts/hub --help lists the options)`);
  }
}

const numberIn = (text: string | undefined, name: string, min: number, max: number): number | undefined => {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < min || value > max)
    throw usage(`--${name} takes a number from ${min} to ${max}, not "${text}"`);
  return value;
};

/** @throws Failure with a sentence when the arguments make no sense */
export function readCommand(args: string[]): { command: Command; dataDir: string; json: boolean } {
  const { values, positionals } = parse(args);
  const [name = '', ...words] = positionals;
  if (!isCommand(name)) {
    const what = name === '' ? 'there is no command' : `"${name}" is no command`;
    throw usage(`${what}; there are ${Object.keys(COMMANDS).join(', ')} (scripts/hub --help explains them)`);
  }
  const { options, words: bounds, shape } = COMMANDS[name];
  for (const given of Object.keys(values))
    if (given !== 'data' && given !== 'json' && !(options as readonly string[]).includes(given))
      throw usage(`--${given} does not belong to ${name}`);
  if (words.length < bounds[0] || words.length > bounds[1]) throw usage(`usage: scripts/hub ${shape}`);
  return {
    command: commandOf(name, words, values),
    dataDir: resolve(values.data ?? join(stateDir(), 'run')),
    json: values.json ?? false,
  };
}

const isCommand = (name: string): name is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, name);

function commandOf(
  name: keyof typeof COMMANDS,
  words: readonly string[],
  values: ReturnType<typeof parse>['values'],
): Command {
  const [device = '', ...rest] = words;
  if (name === 'list') return { name };
  if (name === 'twin') return { name, device };
  if (name === 'desired') {
    const patch = readPatch(rest, values.unset ?? []);
    if (Object.keys(patch).length === 0) throw usage(`usage: scripts/hub ${COMMANDS.desired.shape}`);
    return { name, device, patch, waitS: numberIn(values.wait, 'wait', 0, 86_400) };
  }
  if (name === 'call')
    return {
      name,
      device,
      method: rest[0] ?? '',
      payload: readPayload(rest[1]),
      timeoutS: numberIn(values.timeout, 'timeout', 5, 300) ?? 30,
      save: values.save,
    };
  return {
    name,
    device: words[0],
    sinceS: numberIn(values.since, 'since', 0, 1e9),
    untilNow: values['until-now'] ?? false,
  };
}

function readPayload(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`what METHOD is given must be JSON, like '{"cameraId":"yard"}', not ${text}`);
  }
}
