/** Logins of cameras for `scripts/camera`: from a file, the environment, or a person at the terminal. */
import type { CameraCredential } from '@dachawatch/contracts';
import {
  askHidden,
  type CameraLogin,
  cameraLogins,
  LOGIN_VARIABLE,
  loginVariable,
} from '../run/camera-logins.ts';
import type { CameraOptions } from './options.ts';

const sources = (options: CameraOptions) => ({
  files: options.loginFile === undefined ? [] : [options.loginFile],
  environment: loginVariable(process.env[LOGIN_VARIABLE]),
  ask: process.stdin.isTTY && process.stderr.isTTY ? askHidden : undefined,
});

/** The two addresses without their user, and the login of each.
 *  @throws Refusal with a sentence */
export async function loginOfStreams(
  options: CameraOptions,
  [main = '', sub = main]: readonly string[],
  signal: AbortSignal,
): Promise<CameraLogin> {
  const names = { main: options.name, sub: '--sub' };
  const [login] = await cameraLogins({ ...sources(options), main: [main], sub: [sub], names }, signal);
  return login as CameraLogin;
}

/** The login that is meant for whatever is asked, if one was given.
 *  @throws Refusal with a sentence */
export async function givenLogin(
  options: CameraOptions,
  signal: AbortSignal,
): Promise<CameraCredential | undefined> {
  const user = options.user === undefined ? '' : `${encodeURIComponent(options.user)}@`;
  const address = `rtsp://${user}camera`;
  const names = { main: '--user', sub: '--user' };
  const [read] = await cameraLogins({ ...sources(options), main: [address], sub: [address], names }, signal);
  return read?.login;
}
