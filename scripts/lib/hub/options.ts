/** Arguments of `scripts/hub`; its help stands there. */
import { join, resolve } from 'node:path';
import {
  type Arguments,
  decimal,
  flag,
  quoted,
  readArguments,
  text,
  texts,
  whole,
} from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { CONNECTION_VARIABLE } from './place.ts';
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
  data: text,
  json: flag,
  unset: texts,
  wait: decimal(0, 86_400),
  timeout: whole(5, 300),
  save: text,
  since: decimal(0, 1e9),
  'until-now': flag,
} as const;
/** Which options a command has beside --data and --json, and how many words may follow it. */
const COMMANDS = {
  list: { options: [], words: [0, 0], shape: 'list' },
  twin: { options: [], words: [1, 1], shape: 'twin DEVICE' },
  desired: { options: ['unset', 'wait'], words: [1, 100], shape: 'desired DEVICE PATH=VALUE…' },
  call: { options: ['timeout', 'save'], words: [2, 3], shape: 'call DEVICE METHOD [JSON]' },
  watch: { options: ['since', 'until-now'], words: [0, 1], shape: 'watch [DEVICE]' },
} as const;

type Values = Arguments<typeof OPTIONS>['values'];

/** @throws Refusal with a sentence when the arguments make no sense */
export function readCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): { command: Command; dataDir: string; connection: string | undefined; json: boolean } {
  const { values, words: all } = readArguments('scripts/hub', args, OPTIONS);
  const [name = '', ...words] = all;
  if (!isCommand(name)) {
    const what = name === '' ? 'there is no command' : `${quoted(name)} is no command`;
    throw new Refusal(
      `${what}; there are ${Object.keys(COMMANDS).join(', ')} (scripts/hub --help explains them)`,
    );
  }
  const { options, words: bounds, shape } = COMMANDS[name];
  for (const [given, value] of Object.entries(values)) {
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
    if (isGiven && given !== 'data' && given !== 'json' && !(options as readonly string[]).includes(given))
      throw new Refusal(`--${given} does not belong to ${name}`);
  }
  if (words.length < bounds[0] || words.length > bounds[1]) throw new Refusal(`usage: scripts/hub ${shape}`);
  if (words.includes('')) throw new Refusal(`an argument of ${name} is empty; is a variable unset?`);
  const connection = environment[CONNECTION_VARIABLE] || undefined;
  if (connection !== undefined && values.data !== undefined)
    throw new Refusal(`--data has no effect with ${CONNECTION_VARIABLE}, which names another hub`);
  return {
    command: commandOf(name, words, values),
    dataDir: resolve(values.data ?? join(stateDir(), 'run')),
    connection,
    json: values.json,
  };
}

const isCommand = (name: string): name is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, name);

function commandOf(name: keyof typeof COMMANDS, words: readonly string[], values: Values): Command {
  const [device = '', ...rest] = words;
  if (name === 'list') return { name };
  if (name === 'twin') return { name, device };
  if (name === 'desired') {
    const patch = readPatch(rest, values.unset);
    if (Object.keys(patch).length === 0) throw new Refusal(`usage: scripts/hub ${COMMANDS.desired.shape}`);
    return { name, device, patch, waitS: values.wait };
  }
  if (name === 'call')
    return {
      name,
      device,
      method: rest[0] ?? '',
      payload: readPayload(rest[1]),
      timeoutS: values.timeout ?? 30,
      save: values.save,
    };
  return {
    name,
    device: words[0],
    sinceS: values.since,
    untilNow: values['until-now'],
  };
}

function readPayload(given: string | undefined): unknown {
  if (given === undefined) return {};
  try {
    return JSON.parse(given);
  } catch {
    throw new Refusal(`what METHOD is given must be JSON, like '{"cameraId":"yard"}', not ${quoted(given)}`);
  }
}
