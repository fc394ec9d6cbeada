/** What a camera says of itself by ONVIF, in words. */
import type { Encoder } from './onvif/profiles.ts';

const CODECS: Readonly<Record<string, string>> = { H264: 'H.264', H265: 'H.265' };

/** `H.264, 640×360, 5 pictures a second, a key frame every 5 pictures` */
export function encoderWords({
  encoding,
  widthPx,
  heightPx,
  framesPerSecond,
  govLength,
}: Omit<Encoder, 'token'>): string {
  return [
    CODECS[encoding] ?? encoding,
    `${widthPx}×${heightPx}`,
    framesPerSecond === null ? '' : `${framesPerSecond} pictures a second`,
    govLength === null ? '' : `a key frame every ${govLength} pictures`,
  ]
    .filter(Boolean)
    .join(', ');
}

const CLOSE_MS = 60_000;

/** @returns undefined when the camera's clock is right */
export function clockSentence(clockMs: number | null): string | undefined {
  if (clockMs === null) return 'it does not say what time it is';
  if (Math.abs(clockMs) < CLOSE_MS) return undefined;
  return `its clock is ${duration(Math.abs(clockMs))} ${clockMs < 0 ? 'behind' : 'ahead of'} ours: let it set its clock by NTP`;
}

function duration(ms: number): string {
  const units = [
    ['year', 365.25 * 86_400_000],
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const;
  const [name, length] = units.find(([, one]) => ms >= 2 * one) ?? (['minute', 60_000] as const);
  const count = Math.round(ms / length);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
