/** A camera in `appliance.json`, and its logins beside it. */
import {
  chmodSync,
  chownSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  ApplianceConfig,
  CameraCredential,
  ContractError,
  isJson,
  type Json,
  parse,
  parseWithDefaults,
} from '@dachawatch/contracts';
import { fsyncFolder, replaceDurably } from '../../../agent/kernel/files/durable-file.ts';
import { Refusal } from '../command/ends.ts';
import { quoted } from '../command/arguments.ts';
import { whyNot } from '../command/folders.ts';

export interface NewCamera {
  readonly id: string;
  readonly title: string | undefined;
  readonly main: string;
  readonly sub: string;
  readonly login: CameraCredential | undefined;
  readonly subLogin: CameraCredential | undefined;
}

/** What is to be written, and in which order: logins, configuration, and then what is needed no more is removed. */
export interface ConfigChange {
  readonly config: string;
  readonly text: string;
  readonly credentials: readonly { readonly file: string; readonly text: string }[];
  readonly obsolete: readonly string[];
  readonly isReplaced: boolean;
}

/** @throws Refusal when it cannot be read, or is no JSON object */
export function readConfig(file: string): Json {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`--config ${file} cannot be read: ${whyNot(error)}`);
  }
  try {
    const found: unknown = JSON.parse(text);
    if (isJson(found)) return found;
  } catch {
    // Said below. Not the parser's own words: they repeat what stands in the file.
  }
  throw new Refusal(`--config ${file} is no JSON object`);
}

/** The configuration with this camera in it. A camera that is replaced keeps its other settings. Its logins get names
 *  that nothing has yet, so that one step, the renaming of the configuration, changes everything.
 *  @throws Refusal with a sentence */
export function withCamera(
  document: Json,
  camera: NewCamera,
  place: { readonly config: string; readonly credentials: string; readonly replaces: boolean },
): ConfigChange {
  const { id } = camera;
  const cameras: readonly unknown[] = Array.isArray(document['cameras']) ? document['cameras'] : [];
  const old = cameras.find((one) => isJson(one) && one['id'] === id);
  if (old !== undefined && !place.replaces)
    throw new Refusal(
      `there is a camera ${quoted(id)} in ${place.config} already; --replace gives it these addresses`,
    );
  if (old === undefined && place.replaces)
    throw new Refusal(`--replace: there is no camera ${quoted(id)} in ${place.config}`);
  const taken = new Set(cameras.flatMap(namesOf));
  const credentials: { file: string; text: string }[] = [];
  const named = (key: string, base: string, login: CameraCredential | undefined) => {
    if (!login) return {};
    const name = freeName(base, taken);
    taken.add(name);
    credentials.push({ file: join(place.credentials, name), text: `${JSON.stringify(valid(login))}\n` });
    return { [key]: name };
  };
  const { credential: _one, subCredential: _other, ...kept } = isJson(old) ? old : {};
  const entry = {
    ...kept,
    id,
    ...(camera.title === undefined ? {} : { title: camera.title }),
    ...{ main: camera.main, sub: camera.sub },
    ...named('credential', `camera-${id}`, camera.login),
    ...named('subCredential', `camera-${id}-sub`, camera.subLogin),
  };
  const changed = {
    ...document,
    cameras: old === undefined ? [...cameras, entry] : cameras.map((one) => (one === old ? entry : one)),
  };
  check(changed, place.config);
  const still = new Set(changed.cameras.flatMap(namesOf));
  return {
    config: place.config,
    text: `${JSON.stringify(changed, undefined, 2)}\n`,
    credentials,
    obsolete: namesOf(old)
      .filter((name) => !still.has(name))
      .map((name) => join(place.credentials, name)),
    isReplaced: old !== undefined,
  };
}

const namesOf = (camera: unknown): string[] =>
  isJson(camera)
    ? [camera['credential'], camera['subCredential']].filter((name) => typeof name === 'string')
    : [];

function freeName(base: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(name)) return name;
  }
}

function valid(login: CameraCredential): CameraCredential {
  try {
    return parse(CameraCredential, login);
  } catch (error) {
    if (error instanceof ContractError) throw new Refusal(`the login cannot be kept: ${error.message}`);
    throw error;
  }
}

function check(document: Json, file: string): void {
  try {
    parseWithDefaults(ApplianceConfig, document);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new Refusal(`${file} would not be valid with this camera: ${error.message}`);
  }
}

/** Writes logins (0600), then the configuration in one step, then removes logins that nothing names any more. Whatever
 *  ends it, the configuration is whole, the old one or the new one, and its logins are there.
 *  @throws Refusal */
export function writeCamera({ config, text, credentials, obsolete }: ConfigChange): void {
  try {
    for (const { file, text: login } of credentials) replaceDurably(file, login);
    replaceConfig(config, text);
  } catch (error) {
    throw new Refusal(`${config} cannot be written: ${whyNot(error)}`);
  }
  for (const file of obsolete) rmSync(file, { force: true });
}

/** With the rights that the file had: the agent reads it as another user than the one who writes it. */
function replaceConfig(named: string, text: string): void {
  // A link stays one.
  const file = realpathSync(named);
  const { mode, uid, gid } = statSync(file);
  const beside = `${file}.new`;
  rmSync(beside, { force: true });
  writeFileSync(beside, text, { mode: 0o600, flag: 'wx', flush: true });
  if (process.getuid?.() === 0) chownSync(beside, uid, gid);
  chmodSync(beside, mode & 0o777);
  renameSync(beside, file);
  fsyncFolder(dirname(file));
}
