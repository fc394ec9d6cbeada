/** `scripts/camera add`. */
import { Refusal } from '../command/ends.ts';
import { linesOf, streamsOf, watchCamera } from './check.ts';
import { readConfig, withCamera, writeCamera } from './config-file.ts';
import { loginOfStreams } from './login.ts';
import type { CameraOptions } from './options.ts';
import { say, sayJson, tell } from './say.ts';

/** Checks a camera and enters it into appliance.json. What cannot be used is not entered.
 *  @returns 0 when it is entered, 1 when the camera cannot be used
 *  @throws Refusal, ContractError */
export async function addCamera(options: CameraOptions, signal: AbortSignal): Promise<number> {
  const [id = '', main = ''] = options.words;
  const { sub = main, config, replaces, title } = options;
  const credentials = options.credentials ?? defaultFolder(config);
  const login = await loginOfStreams(options, [main, sub], signal);
  const camera = {
    id,
    title,
    main: login.main,
    sub: login.sub,
    login: login.login,
    subLogin: login.subLogin,
  };
  // Whatever is wrong with the file is said before the camera is watched for ten seconds.
  withCamera(readConfig(config), camera, { replaces, credentials, config });
  const streams = streamsOf(login);
  const found = await watchCamera(streams, { keepsPicture: false, signal });
  signal.throwIfAborted();
  if (!options.json) for (const line of linesOf(found, streams)) say(line);
  if (!found.usable) {
    if (options.json) sayJson({ added: false, advice: found.advice });
    tell(`nothing was written to ${config}`);
    return 1;
  }
  // Read again: somebody may have written it meanwhile.
  const change = withCamera(readConfig(config), camera, { replaces, credentials, config });
  writeCamera(change);
  if (options.json)
    sayJson({
      added: true,
      config,
      credentials: change.credentials.map(({ file }) => file),
      advice: found.advice,
    });
  else say(`camera ${id} is in ${config}${change.isReplaced ? ', in place of the old one' : ''}`);
  tell('the agent reads it when it starts: systemctl restart dachawatch-agent');
  return 0;
}

function defaultFolder(config: string): string {
  const slash = config.lastIndexOf('/');
  if (slash < 0) throw new Refusal(`--config ${config} has no folder`);
  return `${config.slice(0, slash)}/credentials`;
}
