/** Setting how a stream is encoded. */
import { isJson, type Json } from '@dachawatch/contracts';
import { SUB_STREAM_TARGET } from '../../../../agent/capture/check/advice.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { amount, at, type Encoder, type Profile, word } from './profiles.ts';
import type { OnvifSession } from './session.ts';
import { escapeXml } from './xml.ts';

/** How a small stream shall be. */
export type EncoderSettings = Omit<Encoder, 'token' | 'framesPerSecond' | 'govLength'> & {
  readonly framesPerSecond: number;
  readonly govLength: number;
};

interface Possible {
  /** Empty: the camera does not say. */
  readonly sizes: readonly { readonly widthPx: number; readonly heightPx: number }[];
  readonly rates: readonly number[];
  readonly govLength: { readonly least: number; readonly most: number };
}

/** What watching needs, or the nearest to it that the camera says it can.
 *  @throws Failure in words for a person */
export async function nearestSettings(session: OnvifSession, { encoder }: Profile): Promise<EncoderSettings> {
  const { sizes, rates, govLength } = await possible(session, encoder.token);
  const size = sizes.toSorted((one, other) => distance(one) - distance(other))[0] ?? SUB_STREAM_TARGET;
  const framesPerSecond =
    rates.toSorted((one, other) => rateDistance(one) - rateDistance(other))[0] ??
    SUB_STREAM_TARGET.framesPerSecond;
  const wanted = Math.max(1, Math.round(framesPerSecond));
  return {
    encoding: 'H264',
    widthPx: size.widthPx,
    heightPx: size.heightPx,
    framesPerSecond,
    govLength: Math.min(Math.max(wanted, govLength.least), govLength.most),
    kbps: encoder.kbps,
  };
}

/** The shape counts more than the size: a place in the small stream must be the same place in the main one. */
const distance = ({ widthPx, heightPx }: { readonly widthPx: number; readonly heightPx: number }): number =>
  Math.abs(Math.log((widthPx * heightPx) / (SUB_STREAM_TARGET.widthPx * SUB_STREAM_TARGET.heightPx))) +
  4 * Math.abs(Math.log(widthPx / heightPx / (SUB_STREAM_TARGET.widthPx / SUB_STREAM_TARGET.heightPx)));
/** Fewer pictures are worse than more. */
const rateDistance = (rate: number): number =>
  rate < SUB_STREAM_TARGET.framesPerSecond
    ? 3 * (SUB_STREAM_TARGET.framesPerSecond - rate)
    : rate - SUB_STREAM_TARGET.framesPerSecond;

const ANY_GOV = { least: 1, most: 1_000 } as const;

async function possible({ ask }: OnvifSession, token: string): Promise<Possible> {
  let answer: unknown;
  try {
    answer = await ask<unknown>((cam, done) =>
      cam.getVideoEncoderConfigurationOptions({ configurationToken: escapeXml(token) }, done),
    );
  } catch (error) {
    // Then the target is tried as it is.
    if (!(error instanceof Failure) || !['onvif.fault', 'onvif.strange'].includes(error.code)) throw error;
  }
  const of264 = listOf(answer).find((one) => word(at(one, 'encoding')).toUpperCase() === 'H264');
  return of264 ? media2(of264) : media1(at(answer, 'H264'));
}

function media2(options: unknown): Possible {
  const [least, most] = numbersIn(at(options, '$', 'GovLengthRange'));
  return {
    sizes: sizesIn(at(options, 'resolutionsAvailable')),
    rates: numbersIn(at(options, '$', 'FrameRatesSupported')),
    govLength: { least: least ?? ANY_GOV.least, most: most ?? ANY_GOV.most },
  };
}

function media1(options: unknown): Possible {
  const range = (name: string) => ({
    least: amount(at(options, name, 'min')),
    most: amount(at(options, name, 'max')),
  });
  const rate = range('frameRateRange');
  const gov = range('govLengthRange');
  return {
    sizes: sizesIn(at(options, 'resolutionsAvailable')),
    rates:
      rate.least === null || rate.most === null
        ? []
        : [Math.min(Math.max(SUB_STREAM_TARGET.framesPerSecond, rate.least), rate.most)],
    govLength: { least: gov.least ?? ANY_GOV.least, most: gov.most ?? ANY_GOV.most },
  };
}

/** The package gives one of a kind without its list. */
const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value];

const sizesIn = (value: unknown): Possible['sizes'] =>
  listOf(value).flatMap((one) => {
    const [widthPx, heightPx] = [amount(at(one, 'width')), amount(at(one, 'height'))];
    return widthPx && heightPx ? [{ widthPx, heightPx }] : [];
  });

/** Numbers in a list with spaces between them, of which one alone is a number already. */
const numbersIn = (value: unknown): number[] =>
  (typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '')
    .split(/\s+/)
    .flatMap((one) => (one === '' ? [] : (amount(one) ?? [])));

/** Gives the encoder back as the camera described it, with these settings. What it made of them has to be read back.
 *  @throws Failure in words for a person when the camera refuses */
export async function setEncoder(
  session: OnvifSession,
  { raw }: Profile,
  target: EncoderSettings,
): Promise<void> {
  await session.ask<unknown>((cam, done) =>
    cam.setVideoEncoderConfiguration(
      configuration(raw, target, cam.media2Support === true),
      (error, value) => {
        // The package asks behind it what was made of it, by a question that some cameras do not know, and takes an empty
        // answer with an attribute for a wrong one.
        const first = session.first();
        done(first ? first.error : error, value);
      },
    ),
  );
}

function configuration(raw: Json, target: EncoderSettings, isMedia2: boolean): Json {
  const inside = (name: string): Json => (isJson(raw[name]) ? raw[name] : {});
  const h264 = inside('H264');
  return {
    ...raw,
    $: {
      ...inside('$'),
      token: escapeXml(word(at(raw, '$', 'token'))),
      ...(isMedia2 ? { GovLength: target.govLength } : {}),
    },
    name: escapeXml(word(raw['name'])),
    encoding: target.encoding,
    resolution: { width: target.widthPx, height: target.heightPx },
    rateControl: { ...inside('rateControl'), frameRateLimit: target.framesPerSecond },
    ...(isMedia2
      ? {}
      : { H264: { govLength: target.govLength, profile: escapeXml(word(h264['H264Profile'])) || 'Main' } }),
  };
}
