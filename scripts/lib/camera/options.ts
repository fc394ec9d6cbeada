/** Arguments of `scripts/camera`; its help stands there. */
import { resolve } from 'node:path';
import { decimal, flag, quoted, readArguments, text, texts } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { holdsLogin } from '../run/camera-logins.ts';

const COMMANDS = ['find', 'check', 'tune', 'add'] as const;
type CommandName = (typeof COMMANDS)[number];

/** Which options go with which command; the others go with all. */
const ONLY: Readonly<Record<string, readonly CommandName[]>> = {
  interface: ['find'],
  wait: ['find'],
  'try-paths': ['find'],
  user: ['find', 'tune'],
  sub: ['check', 'add'],
  picture: ['check'],
  yes: ['tune'],
  title: ['add'],
  config: ['add'],
  credentials: ['add'],
  replace: ['add'],
};
const USAGE: Readonly<Record<CommandName, string>> = {
  find: 'scripts/camera find [HOST…]',
  check: 'scripts/camera check URL [--sub URL]',
  tune: 'scripts/camera tune HOST',
  add: 'scripts/camera add ID URL --sub URL',
};
const WORDS: Readonly<Record<CommandName, readonly [least: number, most: number]>> = {
  find: [0, 64],
  check: [1, 1],
  tune: [1, 1],
  add: [2, 2],
};

export type CameraOptions = ReturnType<typeof readCameraOptions>;

/** @throws Refusal with a sentence when the arguments make no sense */
export function readCameraOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/camera', args, {
    interface: texts,
    wait: decimal(0.5, 60),
    'try-paths': flag,
    user: text,
    sub: text,
    picture: text,
    yes: flag,
    title: text,
    config: text,
    credentials: text,
    replace: flag,
    'camera-login': text,
    json: flag,
  });
  const [first = '', ...rest] = words;
  const name = COMMANDS.find((one) => one === first);
  if (name === undefined)
    throw new Refusal(
      `${first === '' ? 'there is no command' : `${quoted(first)} is no command`}; there are ${COMMANDS.join(', ')} (scripts/camera --help explains them)`,
    );
  for (const [option, commands] of Object.entries(ONLY))
    if (isGiven(values[option as keyof typeof values]) && !commands.includes(name))
      throw new Refusal(`--${option} does not belong to ${name}`);
  if (rest.includes('')) throw new Refusal(`an argument of ${name} is empty; is a variable unset?`);
  const [least, most] = WORDS[name];
  if (rest.length < least || rest.length > most) throw new Refusal(`usage: ${USAGE[name]}`);
  if (name === 'add' && values.sub === undefined)
    throw new Refusal(
      'add needs --sub URL: the small stream of the camera, which is decoded to look for motion',
    );
  if (values['try-paths'] && rest.length === 0)
    throw new Refusal('--try-paths needs a HOST: addresses are tried at cameras that you name');
  if (values.interface.length > 0 && rest.length > 0)
    throw new Refusal('--interface has no effect with a HOST, which is asked directly');
  if (values.wait !== undefined && rest.length > 0)
    throw new Refusal('--wait has no effect with a HOST, which is asked directly');
  refuseExposed([...rest, values.sub ?? '']);
  return {
    name,
    words: rest,
    sub: values.sub,
    interfaces: values.interface,
    waitMs: (values.wait ?? 4) * 1_000,
    triesPaths: values['try-paths'],
    user: values.user,
    picture: values.picture === undefined ? undefined : resolve(values.picture),
    consents: values.yes,
    title: values.title,
    config: resolve(values.config ?? '/etc/dachawatch/appliance.json'),
    credentials: values.credentials === undefined ? undefined : resolve(values.credentials),
    replaces: values.replace,
    loginFile: values['camera-login'],
    json: values.json,
  };
}

const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);

/** @throws Refusal: it is too late for that password, but not for the next one */
function refuseExposed(words: readonly string[]): void {
  if (words.some(holdsLogin))
    throw new Refusal(
      'an address holds a password, and everybody on this machine can read the command line: leave it out, as in rtsp://viewer@host/path, and it is asked for, or give it by --camera-login FILE',
    );
}
