/** `scripts/camera find`. */
import type { CameraCredential } from '@dachawatch/contracts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { Refusal } from '../command/ends.ts';
import { clockSentence, encoderWords } from './encoder-words.ts';
import { bare, inAddress, readHost } from './host.ts';
import { givenLogin } from './login.ts';
import { discover, type FoundCamera, networksNamed } from './onvif/discover.ts';
import { type Encoder, readProfiles, streamAddress, streamsOfSources } from './onvif/profiles.ts';
import { DEFAULT_PATH, openOnvif, type OnvifPlace } from './onvif/session.ts';
import type { CameraOptions } from './options.ts';
import { say, sayJson, tell } from './say.ts';
import { tryPaths } from './try-paths.ts';

interface FoundStreams {
  readonly main: { readonly address: string; readonly encoder: Encoder };
  readonly sub: { readonly address: string; readonly encoder: Encoder } | null;
}

export interface Found {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly urn: string | null;
  /** The camera's time minus ours; null: it does not say. */
  readonly clockMs: number | null;
  /** One for each picture source. */
  readonly streams: readonly FoundStreams[];
  /** Why there are no streams, for a person; null: there are. */
  readonly trouble: string | null;
}

const ONVIF_PORT = 80;

/** @returns 0 when a camera was found, 1 when none
 *  @throws Refusal */
export async function find(options: CameraOptions, signal: AbortSignal): Promise<number> {
  if (options.triesPaths) return await tryPaths(options, signal);
  const login = await givenLogin(options, signal);
  const places = await placesOf(options, signal);
  const found: Found[] = [];
  // One after the other: some cameras take no further session.
  for (const camera of places) {
    tell(`asking ${inAddress(camera.place.host)}:${camera.place.port} by ONVIF for its streams`);
    found.push(await ask(camera, login, signal));
  }
  if (options.json) sayJson({ cameras: found });
  else for (const line of found.flatMap((one) => linesOf(one, loginHint(options)))) say(line);
  if (found.length === 0)
    tell(
      'no camera answered. Cameras answer only in the same network, and only with ONVIF switched on: name its address (find HOST), or try without ONVIF (find --try-paths HOST)',
    );
  return found.some(({ streams, urn }) => urn !== null || streams.length > 0) ? 0 : 1;
}

async function placesOf(
  options: CameraOptions,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly urn: string | null; readonly place: OnvifPlace }[]> {
  if (options.words.length > 0)
    return options.words.map((text) => {
      const { host, port } = readHost(text, ONVIF_PORT);
      return { name: text, urn: null, place: { host: bare(host), port, path: DEFAULT_PATH } };
    });
  const networks = networksNamed(options.interfaces);
  if (networks.length === 0)
    throw new Refusal('this machine is in no network with an IPv4 address; name a camera: find HOST');
  const names = networks.map(({ name, address }) => `${name} (${address})`).join(', ');
  tell(`looking for cameras in ${names}, ${options.waitMs / 1000} s`);
  const found: FoundCamera[] = await discover(networks, options.waitMs, signal);
  tell(`${found.length} ${found.length === 1 ? 'camera has' : 'cameras have'} answered`);
  return found;
}

async function ask(
  { name, urn, place }: { readonly name: string; readonly urn: string | null; readonly place: OnvifPlace },
  login: CameraCredential | undefined,
  signal: AbortSignal,
): Promise<Found> {
  const { host, port } = place;
  const known = { name, host, port, urn };
  let clockMs: number | null = null;
  try {
    const session = await openOnvif(place, login, signal);
    ({ clockMs } = session);
    const streams: FoundStreams[] = [];
    for (const { main, sub } of streamsOfSources(await readProfiles(session))) {
      streams.push({
        main: { address: await streamAddress(session, main, inAddress(host)), encoder: main.encoder },
        sub: sub
          ? { address: await streamAddress(session, sub, inAddress(host)), encoder: sub.encoder }
          : null,
      });
    }
    const trouble = streams.length > 0 ? null : 'it has no stream of pictures';
    return { ...known, clockMs, streams, trouble };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...known, clockMs, streams: [], trouble: troubleOf(error, login) };
  }
}

const troubleOf = ({ code, message }: Failure, login: CameraCredential | undefined): string =>
  code === 'onvif.login' && !login
    ? 'it shows its streams only with a login: give it by --user NAME or --camera-login FILE'
    : message;

/** How the next command gets the login that this one got. */
function loginHint({ loginFile, user }: CameraOptions): string {
  if (loginFile !== undefined) return ` --camera-login ${quotedWord(loginFile)}`;
  return user === undefined ? '' : ' (with NAME@ before the host of each address)';
}

function linesOf(found: Found, hint: string): string[] {
  const { name, host, port, streams, trouble, clockMs } = found;
  // A camera that was not reached says nothing of its clock either.
  const clock = clockMs === null && streams.length === 0 ? undefined : clockSentence(clockMs);
  return [
    `${name} at ${inAddress(host)}:${port}`,
    ...(clock === undefined ? [] : [`  ${clock}`]),
    ...(trouble === null ? [] : [`  ${trouble}`]),
    ...streams.flatMap((one) => streamLines(one, hint)),
  ];
}

function streamLines({ main, sub }: FoundStreams, hint: string): string[] {
  const small = sub ? ` --sub ${quotedWord(sub.address)}` : '';
  return [
    `  main stream  ${main.address}  ${encoderWords(main.encoder)}`,
    sub
      ? `  small stream ${sub.address}  ${encoderWords(sub.encoder)}`
      : '  it has no small stream: every picture of the main stream would have to be decoded',
    `  next: scripts/camera check ${quotedWord(main.address)}${small}${hint}`,
  ];
}

/** For a shell. */
const quotedWord = (text: string): string =>
  /^[\w:/.@%=-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
