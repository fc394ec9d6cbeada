/** `scripts/camera tune`. */
import { createInterface } from 'node:readline/promises';
import { SUB_WISH } from '../../../agent/capture/check/advice.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { Refusal } from '../command/ends.ts';
import { clockSentence, encoderWords } from './encoder-words.ts';
import { bare, readHost } from './host.ts';
import { givenLogin } from './login.ts';
import { setEncoder, type Wish, wishFor } from './onvif/encoder.ts';
import { type Encoder, type Profile, readProfiles, streamsOfSources } from './onvif/profiles.ts';
import { DEFAULT_PATH, openOnvif } from './onvif/session.ts';
import type { CameraOptions } from './options.ts';
import { say, sayJson, tell } from './say.ts';

const ONVIF_PORT = 80;

/** @returns 0 when every small stream is as wished, 1 when the camera made something else of it
 *  @throws Refusal, Failure in words for a person */
export async function tune(options: CameraOptions, signal: AbortSignal): Promise<number> {
  const [text = ''] = options.words;
  const { host, port } = readHost(text, ONVIF_PORT);
  if (!options.consents && !process.stdin.isTTY)
    throw new Refusal('tune changes settings of the camera: consent with --yes, or start it in a terminal');
  const login = await givenLogin(options, signal);
  const session = await openOnvif({ host: bare(host), port, path: DEFAULT_PATH }, login, signal);
  const clock = clockSentence(session.clockMs);
  if (clock !== undefined) tell(clock);
  const changes: Change[] = [];
  for (const profile of smallStreams(await readProfiles(session), text)) {
    const wish = await wishFor(session, profile);
    if (differences(profile.encoder, wish).length === 0) {
      tell(`${profile.name} is as it should be: ${encoderWords(wish)}`);
      changes.push({ profile, wish, made: profile.encoder });
      continue;
    }
    tell(`${profile.name} is ${encoderWords(profile.encoder)}`);
    tell(`it would be ${encoderWords(wish)}`);
    if (!options.consents && !(await consents(signal))) {
      tell('nothing was changed');
      return 1;
    }
    await setEncoder(session, profile, wish);
    const made = (await readProfiles(session)).find(({ token }) => token === profile.token)?.encoder;
    if (!made) throw new Failure('rejected', 'camera.tune', `the camera has lost its stream ${profile.name}`);
    changes.push({ profile, wish, made });
  }
  if (options.json) sayJson({ streams: changes.map(asJson) });
  else for (const line of changes.flatMap(linesOf)) say(line);
  return changes.every(({ wish, made }) => differences(made, wish).length === 0 && isIdeal(wish)) ? 0 : 1;
}

interface Change {
  readonly profile: Profile;
  readonly wish: Wish;
  /** As the camera says that it is now. */
  readonly made: Encoder;
}

/** @throws Refusal when there is none that may be changed */
function smallStreams(profiles: readonly Profile[], host: string): Profile[] {
  const small = streamsOfSources(profiles).flatMap(({ sub }) => sub ?? []);
  if (small.length === 0)
    throw new Refusal(
      profiles.length === 0
        ? `the camera at ${host} has no stream of pictures`
        : `the camera at ${host} has one stream only; made small, it would make small recordings: nothing was changed`,
    );
  return small;
}

/** What the camera could not do, as it said beforehand. */
const isIdeal = (wish: Wish): boolean =>
  wish.widthPx === SUB_WISH.widthPx &&
  wish.heightPx === SUB_WISH.heightPx &&
  wish.framesPerSecond === SUB_WISH.framesPerSecond &&
  wish.govLength === SUB_WISH.framesPerSecond;

function differences(made: Encoder, wish: Wish): string[] {
  const found: (string | false)[] = [
    made.encoding !== wish.encoding && `it is ${made.encoding}, not ${wish.encoding}`,
    (made.widthPx !== wish.widthPx || made.heightPx !== wish.heightPx) &&
      `it is ${made.widthPx}×${made.heightPx}, not ${wish.widthPx}×${wish.heightPx}`,
    made.framesPerSecond !== wish.framesPerSecond &&
      `it has ${made.framesPerSecond ?? 'an unknown number of'} pictures a second, not ${wish.framesPerSecond}`,
    made.govLength !== wish.govLength &&
      `it has a key frame every ${made.govLength ?? '(unknown)'} pictures, not every ${wish.govLength}`,
  ];
  return found.filter((one) => one !== false);
}

function linesOf({ profile, wish, made }: Change): string[] {
  const differ = differences(made, wish);
  return [
    `${profile.name} is now ${encoderWords(made)}`,
    ...differ.map((one) => `  ${one}: the camera made something else of it; set it on the camera's own page`),
    ...(isIdeal(wish)
      ? []
      : [
          `  the camera cannot do ${SUB_WISH.widthPx}×${SUB_WISH.heightPx}, ${SUB_WISH.framesPerSecond} pictures a second, a key frame a second; this is the nearest that it says it can`,
        ]),
  ];
}

const asJson = ({ profile, wish, made }: Change) => ({
  name: profile.name,
  before: profile.encoder,
  wanted: wish,
  now: made,
  differs: differences(made, wish),
});

async function consents(signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // The terminal gives Ctrl-C as a key while it asks.
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return /^y(es)?$/i.test((await terminal.question('Set it so? [y/N] ', { signal })).trim());
  } finally {
    terminal.close();
  }
}
