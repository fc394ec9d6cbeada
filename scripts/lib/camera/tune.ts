/** `scripts/camera tune`. */
import { createInterface } from 'node:readline/promises';
import { SUB_STREAM_TARGET } from '../../../agent/capture/check/advice.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { Refusal } from '../command/ends.ts';
import { clockSentence, encoderWords } from './encoder-words.ts';
import { bare, readHost } from './host.ts';
import { givenLogin } from './login.ts';
import { setEncoder, type EncoderSettings, nearestSettings } from './onvif/encoder.ts';
import { type Encoder, type Profile, readProfiles, streamsOfSources } from './onvif/profiles.ts';
import { DEFAULT_PATH, openOnvif } from './onvif/session.ts';
import type { CameraOptions } from './options.ts';
import { say, sayJson, tell } from './say.ts';

const ONVIF_PORT = 80;

/** @returns 0 when every small stream is as it should be, 1 when the camera made something else of it
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
    const target = await nearestSettings(session, profile);
    if (differences(profile.encoder, target).length === 0) {
      tell(`${profile.name} is as it should be: ${encoderWords(target)}`);
      changes.push({ profile, target, made: profile.encoder });
      continue;
    }
    tell(`${profile.name} is ${encoderWords(profile.encoder)}`);
    tell(`it would be ${encoderWords(target)}`);
    if (!options.consents && !(await consents(signal))) {
      tell('nothing was changed');
      return 1;
    }
    await setEncoder(session, profile, target);
    const made = (await readProfiles(session)).find(({ token }) => token === profile.token)?.encoder;
    if (!made) throw new Failure('rejected', 'camera.tune', `the camera has lost its stream ${profile.name}`);
    changes.push({ profile, target, made });
  }
  if (options.json) sayJson({ streams: changes.map(asJson) });
  else for (const line of changes.flatMap(linesOf)) say(line);
  return changes.every(({ target, made }) => differences(made, target).length === 0 && isIdeal(target))
    ? 0
    : 1;
}

interface Change {
  readonly profile: Profile;
  readonly target: EncoderSettings;
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
const isIdeal = (target: EncoderSettings): boolean =>
  target.widthPx === SUB_STREAM_TARGET.widthPx &&
  target.heightPx === SUB_STREAM_TARGET.heightPx &&
  target.framesPerSecond === SUB_STREAM_TARGET.framesPerSecond &&
  target.govLength === SUB_STREAM_TARGET.framesPerSecond;

function differences(made: Encoder, target: EncoderSettings): string[] {
  const found: (string | false)[] = [
    made.encoding !== target.encoding && `it is ${made.encoding}, not ${target.encoding}`,
    (made.widthPx !== target.widthPx || made.heightPx !== target.heightPx) &&
      `it is ${made.widthPx}×${made.heightPx}, not ${target.widthPx}×${target.heightPx}`,
    made.framesPerSecond !== target.framesPerSecond &&
      `it has ${made.framesPerSecond ?? 'an unknown number of'} pictures a second, not ${target.framesPerSecond}`,
    made.govLength !== target.govLength &&
      `it has a key frame every ${made.govLength ?? '(unknown)'} pictures, not every ${target.govLength}`,
  ];
  return found.filter((one) => one !== false);
}

function linesOf({ profile, target, made }: Change): string[] {
  const differ = differences(made, target);
  return [
    `${profile.name} is now ${encoderWords(made)}`,
    ...differ.map((one) => `  ${one}: the camera made something else of it; set it on the camera's own page`),
    ...(isIdeal(target)
      ? []
      : [
          `  the camera cannot do ${SUB_STREAM_TARGET.widthPx}×${SUB_STREAM_TARGET.heightPx}, ${SUB_STREAM_TARGET.framesPerSecond} pictures a second, a key frame a second; this is the nearest that it says it can`,
        ]),
  ];
}

const asJson = ({ profile, target, made }: Change) => ({
  name: profile.name,
  before: profile.encoder,
  wanted: target,
  now: made,
  differs: differences(made, target),
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
