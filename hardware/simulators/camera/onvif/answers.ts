import {
  type Abilities,
  type Encoder,
  encoderOfMedia1,
  encoderOfMedia2,
  encoderToken,
  isPossible,
  type OnvifProfile,
  wantedEncoder,
} from './encoders.ts';
import { envelope, escaped, fault, textOf } from './soap.ts';

export interface Asked {
  readonly name: string;
  readonly namespace: string;
  readonly xml: string;
}

export interface CameraInside {
  profiles: readonly OnvifProfile[];
  readonly address: string;
  readonly nowMs: number;
  readonly media2: boolean;
  readonly abilities: Abilities;
  /** What becomes of what is set. */
  readonly settles: (wanted: Encoder, old: Encoder) => Encoder;
}

const MEDIA1 = 'http://www.onvif.org/ver10/media/wsdl';
const MEDIA2 = 'http://www.onvif.org/ver20/media/wsdl';
const DEVICE = 'http://www.onvif.org/ver10/device/wsdl';

/** What everybody may ask, as the device service has it (access class PRE_AUTH). */
export const isOpenToAll = ({ name }: Asked): boolean =>
  ['GetSystemDateAndTime', 'GetServices', 'GetCapabilities'].includes(name);

/** @returns the answer; undefined: there is no such question */
export function answerOf(asked: Asked, camera: CameraInside): string | undefined {
  const response = (inside: string) =>
    envelope(`<${asked.name}Response xmlns="${asked.namespace}">${inside}</${asked.name}Response>`);
  const profile = camera.profiles.find(({ token }) => token === textOf(asked.xml, 'ProfileToken'));
  const isMedia2 = asked.namespace === MEDIA2;
  switch (asked.name) {
    case 'GetSystemDateAndTime':
      return response(dateAndTime(new Date(camera.nowMs)));
    case 'GetServices':
      return response(services(camera));
    case 'GetProfiles':
      return response(camera.profiles.map(isMedia2 ? profileOfMedia2 : profileOfMedia1).join(''));
    case 'GetStreamUri':
      if (!profile) return fault('ter:NoProfile', 'Profile token does not exist');
      return response(
        isMedia2
          ? `<Uri>${escaped(profile.uri)}</Uri>`
          : `<MediaUri><tt:Uri>${escaped(profile.uri)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect></MediaUri>`,
      );
    case 'GetVideoEncoderConfigurationOptions':
      return response((isMedia2 ? optionsOfMedia2 : optionsOfMedia1)(camera.abilities));
    case 'SetVideoEncoderConfiguration':
      return set(asked, camera) ? response('') : fault('ter:ConfigModify', 'Parameters cannot be set');
    default:
      return undefined;
  }
}

function set({ xml }: Asked, camera: CameraInside): boolean {
  const token = /<(?:\w+:)?Configuration\s[^>]*token="([^"]*)"/.exec(xml)?.[1];
  const profile = camera.profiles.find((one) => encoderToken(one) === token);
  if (!profile) return false;
  const wanted = wantedEncoder(xml, profile.encoder);
  if (!isPossible(wanted, camera.abilities)) return false;
  const encoder = camera.settles(wanted, profile.encoder);
  camera.profiles = camera.profiles.map((one) => (one === profile ? { ...one, encoder } : one));
  return true;
}

const dateAndTime = (now: Date) =>
  `<SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></SystemDateAndTime>`;

const services = ({ address, media2 }: CameraInside) =>
  [[DEVICE, 'device_service'], [MEDIA1, 'media_service'], ...(media2 ? [[MEDIA2, 'media2_service']] : [])]
    .map(
      ([namespace, path]) =>
        `<Service><Namespace>${namespace}</Namespace><XAddr>${address}/onvif/${path}</XAddr><Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></Version></Service>`,
    )
    .join('');

const source = '<tt:Name>source</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>source</tt:SourceToken>';

const profileOfMedia1 = (profile: OnvifProfile) =>
  `<Profiles token="${profile.token}" fixed="true"><tt:Name>${escaped(profile.name)}</tt:Name><tt:VideoSourceConfiguration token="source">${source}</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="${encoderToken(profile)}">${encoderOfMedia1(profile)}</tt:VideoEncoderConfiguration></Profiles>`;

const profileOfMedia2 = (profile: OnvifProfile) =>
  `<Profiles token="${profile.token}" fixed="true"><Name>${escaped(profile.name)}</Name><Configurations><VideoSource token="source">${source}</VideoSource><VideoEncoder token="${encoderToken(profile)}" GovLength="${profile.encoder.govLength}" Profile="Main">${encoderOfMedia2(profile)}</VideoEncoder></Configurations></Profiles>`;

const sizesOf = ({ sizes }: Abilities) =>
  sizes
    .map(
      ([width, height]) =>
        `<tt:ResolutionsAvailable><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:ResolutionsAvailable>`,
    )
    .join('');
const range = (name: string, least: number, most: number) =>
  `<tt:${name}><tt:Min>${least}</tt:Min><tt:Max>${most}</tt:Max></tt:${name}>`;

const optionsOfMedia1 = (abilities: Abilities) =>
  `<Options>${range('QualityRange', 1, 6)}<tt:H264>${sizesOf(abilities)}${range('GovLengthRange', 1, 250)}${range('FrameRateRange', Math.min(...abilities.frameRates), Math.max(...abilities.frameRates))}${range('EncodingIntervalRange', 1, 1)}<tt:H264ProfilesSupported>Main</tt:H264ProfilesSupported></tt:H264></Options>`;
const optionsOfMedia2 = (abilities: Abilities) =>
  ['H264', 'H265']
    .map(
      (encoding) =>
        `<Options FrameRatesSupported="${abilities.frameRates.join(' ')}" GovLengthRange="1 250" ProfilesSupported="Main"><tt:Encoding>${encoding}</tt:Encoding>${range('QualityRange', 1, 6)}${sizesOf(abilities)}${range('BitrateRange', 32, 8192)}</Options>`,
    )
    .join('');
