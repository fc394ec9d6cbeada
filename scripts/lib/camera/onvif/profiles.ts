/** The streams of an ONVIF camera, and how they are encoded. */
import { isJson, type Json, readCameraAddress } from '@dachawatch/contracts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { NOT_ONVIF } from './failures.ts';
import type { OnvifSession } from './session.ts';
import { escapeXml } from './xml.ts';

/** What a camera says of an encoder; null: it does not say. */
export interface Encoder {
  readonly token: string;
  /** Like `H264`. */
  readonly encoding: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly framesPerSecond: number | null;
  /** Pictures from one key frame to the next. */
  readonly govLength: number | null;
  readonly kbps: number | null;
}

export interface Profile {
  readonly token: string;
  readonly name: string;
  /** Of the picture source; a recorder has several. */
  readonly source: string;
  readonly encoder: Encoder;
  /** The encoder as the camera described it, to give it back with changes. */
  readonly raw: Json;
}

const MAX_PROFILES = 64;

/** The profiles that have pictures. Media2 first; a camera that says it speaks that and does not is asked by Media.
 *  @throws Failure in words for a person */
export async function readProfiles({ ask, cam }: OnvifSession): Promise<Profile[]> {
  const read = () => ask<unknown>((camera, done) => camera.getProfiles(done));
  try {
    return profilesIn(await read());
  } catch (error) {
    const mayBeOld = error instanceof Failure && ['onvif.fault', 'onvif.strange'].includes(error.code);
    if (!mayBeOld || !cam.media2Support) throw error;
    cam.media2Support = false;
    return profilesIn(await read());
  }
}

function profilesIn(answer: unknown): Profile[] {
  if (!Array.isArray(answer)) throw new Failure('rejected', 'onvif.strange', NOT_ONVIF);
  return answer.slice(0, MAX_PROFILES).flatMap((one: unknown) => profileOf(one) ?? []);
}

function profileOf(one: unknown): Profile | undefined {
  const raw = at(one, 'videoEncoderConfiguration');
  const token = word(at(one, '$', 'token'));
  const encoder = { token: word(at(raw, '$', 'token')), encoding: word(at(raw, 'encoding')).toUpperCase() };
  const size = {
    widthPx: whole(at(raw, 'resolution', 'width')),
    heightPx: whole(at(raw, 'resolution', 'height')),
  };
  if (!isJson(raw) || token === '' || encoder.token === '' || size.widthPx === null || size.heightPx === null)
    return undefined;
  return {
    token,
    name: word(at(one, 'name')) || token,
    source: word(at(one, 'videoSourceConfiguration', 'sourceToken')),
    encoder: {
      ...encoder,
      widthPx: size.widthPx,
      heightPx: size.heightPx,
      framesPerSecond: amount(at(raw, 'rateControl', 'frameRateLimit')),
      govLength: whole(at(raw, '$', 'GovLength')) ?? whole(at(raw, 'H264', 'govLength')),
      kbps: amount(at(raw, 'rateControl', 'bitrateLimit')),
    },
    raw,
  };
}

const area = ({ encoder }: Profile) => encoder.widthPx * encoder.heightPx;

/** Which profiles of each picture source are its main and its small stream: the largest and the smallest. */
export function streamsOfSources(
  profiles: readonly Profile[],
): { readonly main: Profile; readonly sub: Profile | undefined }[] {
  const sources = Object.values(Object.groupBy(profiles, ({ source }) => source));
  return sources.flatMap((all = []) => {
    // As many pixels: the one that the camera names first.
    const sorted = all.toSorted((one, other) => area(other) - area(one));
    const [main] = sorted;
    if (!main) return [];
    const smaller = sorted.filter(
      (one) =>
        area(one) < area(main) && one.encoder.token !== main.encoder.token && one.encoder.encoding !== 'JPEG',
    );
    return [{ main, sub: smaller.at(-1) }];
  });
}

/** The RTSP address of a profile, without a login, at the host that was asked: behind a router a camera names one that
 *  only it can reach.
 *  @throws Failure in words for a person */
export async function streamAddress(
  { ask }: OnvifSession,
  { token }: Profile,
  host: string,
): Promise<string> {
  const answer = await ask<unknown>((cam, done) =>
    cam.getStreamUri({ protocol: 'RTSP', profileToken: escapeXml(token) }, done),
  );
  const named = word(at(answer, 'uri')).trim();
  const read = readCameraAddress(named.replace(/^(rtsps?:\/\/)([^/?#]*@)?/i, '$1'));
  if ('problem' in read)
    throw new Failure('rejected', 'onvif.strange', `the address that the camera names ${read.problem}`);
  return read.address.replace(/^(rtsps?:\/\/)(\[[^\]]*\]|[^:/?#]*)/, `$1${host}`);
}

/** What the package made of XML, looked into. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inside, name) => (isJson(inside) ? inside[name] : undefined), value);
}

const MAX_WORD = 120;
/** The package turns what looks like a number into one. */
export const word = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value).slice(0, MAX_WORD)
    : '';
export const amount = (value: unknown): number | null => {
  const number = typeof value === 'number' ? value : Number.parseFloat(word(value));
  return Number.isFinite(number) && number >= 0 ? number : null;
};
const whole = (value: unknown): number | null => {
  const number = amount(value);
  return number === null ? null : Math.round(number);
};
