/** Logins of cameras for `scripts/run`: from the addresses, a file, the environment, or a person at the terminal. */
import { fstatSync, closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type CameraCredential, readCameraAddress } from '@dachawatch/contracts';
import { Refusal } from '../command/ends.ts';

/** What is wrong with an address or a login, in one sentence for a person. Never holds a part of either. */
export class LoginRefusal extends Refusal {}

/** A camera as the agent is told of it. */
export interface CameraLogin {
  readonly id: string;
  /** Addresses without a login. */
  readonly main: string;
  readonly sub: string;
  readonly login: CameraCredential | undefined;
  /** Where the sub-stream has another one. */
  readonly subLogin: CameraCredential | undefined;
}

export interface LoginSources {
  /** Values of --camera and of --sub. */
  readonly main: readonly string[];
  readonly sub: readonly string[];
  /** Of --camera-login, in the order of the cameras; one alone is for all of them. */
  readonly files: readonly string[];
  /** `user:password`, for cameras for which nothing else names a login. */
  readonly environment: string | undefined;
  /** What stands in front of the two addresses on the command line, for sentences. */
  readonly names?: { readonly main: string; readonly sub: string };
  /** Asks a person. Undefined: nobody is there. */
  readonly ask: ((question: string, signal: AbortSignal) => Promise<string>) | undefined;
}

interface Stream {
  readonly option: string;
  readonly address: string;
  readonly host: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const MAX_LOGIN_BYTES = 4_096;
/** `user:password`, for cameras for which nothing else names a login. */
export const LOGIN_VARIABLE = 'DACHAWATCH_CAMERA_LOGIN';

/** The login of the environment. An empty variable would be taken for a login that the cameras refuse.
 *  @throws Refusal */
export function loginVariable(given: string | undefined): string | undefined {
  if (given?.trim() === '')
    throw new Refusal(`${LOGIN_VARIABLE} is empty: unset it, or put user:password in it`);
  return given;
}

/** Whether an address holds a password, which every user of the machine could read for a moment. */
export const holdsLogin = (address: string): boolean => /:[^/@]+@|pass\w*=|pwd=/i.test(address);

/** The login of each stream: that in its own address, else that in the camera's other one, else the file's, else the
 *  environment's. Of a user whose password stands nowhere, it is asked for, once for each host.
 *  @throws LoginRefusal */
export async function cameraLogins(sources: LoginSources, signal: AbortSignal): Promise<CameraLogin[]> {
  const { files, environment, ask, names = { main: '--camera', sub: '--sub' } } = sources;
  if (files.length > 1 && files.length !== sources.main.length)
    throw new LoginRefusal(
      `--camera-login is given ${files.length} times for ${sources.main.length} cameras: give one for all, or one for each in order`,
    );
  const mains = sources.main.map((text) => readStream(names.main, text));
  const subs = sources.sub.map((text) => readStream(names.sub, text));
  const fromFiles = files.map(readLoginFile);
  const fromEnvironment = environment === undefined ? undefined : parseLogin(environment, LOGIN_VARIABLE);
  const asked = new Map<string, string>();

  async function loginOf(
    stream: Stream,
    given: CameraCredential | undefined,
  ): Promise<CameraCredential | undefined> {
    const { username, password, option, host } = stream;
    if (username === undefined) return undefined;
    if (password !== undefined) return { username, password };
    if (given?.username === username) return given;
    if (!ask)
      throw new LoginRefusal(
        `the address of ${option} names a user and no password: give it by --camera-login FILE or ${LOGIN_VARIABLE}, or start this in a terminal, where it is asked for`,
      );
    const key = JSON.stringify([username, host]);
    const answer = asked.get(key) ?? (await ask(`Password of ${username} at ${host}: `, signal));
    asked.set(key, answer);
    return { username, password: answer };
  }

  const cameras: CameraLogin[] = [];
  for (const [index, main] of mains.entries()) {
    const sub = subs[index] ?? main;
    const given = fromFiles[index] ?? (files.length === 1 ? fromFiles[0] : undefined) ?? fromEnvironment;
    const ofMain = await loginOf(main, given);
    const ofSub = await loginOf(sub, given);
    const login = ofMain ?? ofSub ?? given;
    const differs = ofSub && (ofSub.username !== login?.username || ofSub.password !== login.password);
    cameras.push({
      id: `camera-${index + 1}`,
      main: main.address,
      sub: sub.address,
      login,
      subLogin: differs ? ofSub : undefined,
    });
  }
  return cameras;
}

function readStream(option: string, text: string): Stream {
  const read = readCameraAddress(text);
  if ('problem' in read)
    throw new LoginRefusal(
      `the address of ${option} ${read.problem}; or leave the login out and give it by --camera-login FILE, where nothing is encoded`,
    );
  const { address, login } = read;
  return {
    option,
    address,
    host: new URL(address).host,
    username: login?.username,
    password: login?.password,
  };
}

/** `user:password` in one line, as it is, nothing encoded. A file that others may read is refused. */
export function readLoginFile(file: string): CameraCredential {
  let text: string;
  try {
    const fd = openSync(file, 'r');
    try {
      const facts = fstatSync(fd);
      if (facts.isFile() && (facts.mode & 0o077) !== 0)
        throw new LoginRefusal(
          `others may read the login in ${file}: say chmod 600 to it, and change the password if that matters`,
        );
      if (facts.isFile() && facts.size > MAX_LOGIN_BYTES)
        throw new LoginRefusal(`${file} is too long for a login`);
      text = readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof LoginRefusal) throw error;
    throw new LoginRefusal(`the login in ${file} cannot be read: ${(error as Error).message}`);
  }
  return parseLogin(text, file);
}

function parseLogin(text: string, where: string): CameraCredential {
  const line = text.replace(/\r?\n$/, '');
  const colon = line.indexOf(':');
  // What begins like JSON is a credential file of the appliance, not a login with a strange user.
  if (colon < 1 || line.startsWith('{') || /\p{Cc}/u.test(line) || line.length > MAX_LOGIN_BYTES)
    throw new LoginRefusal(
      `${where} holds no login: it is one line, user:password, as the camera knows them and with nothing encoded`,
    );
  return { username: line.slice(0, colon), password: line.slice(colon + 1) };
}

/** Asks at the terminal; what is typed is not shown.
 *  @throws LoginRefusal when the person gives none; Ctrl-C is the signal that it is anywhere else */
export async function askHidden(question: string, signal: AbortSignal): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  // Only now: until the terminal is in raw mode it shows what a fast typist, or a paste, answers.
  process.stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      terminal.once('line', resolve);
      // The terminal gives Ctrl-C as a key while it asks.
      terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
      terminal.once('close', () => reject(new LoginRefusal('no password was given')));
    });
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
