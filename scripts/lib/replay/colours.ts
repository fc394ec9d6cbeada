import type { SuppressionReason } from '@dachawatch/contracts';
import type { Colour } from './canvas.ts';

export const WHITE: Colour = [235, 235, 235];
export const GREY: Colour = [130, 130, 130];
export const DARK: Colour = [24, 26, 30];
export const MOTION: Colour = [255, 70, 60];
export const LIGHT: Colour = [250, 210, 60];
export const SWAY: Colour = [70, 220, 110];
/** Where things come to nothing. */
export const IDLE: Colour = [190, 130, 250];
export const HELD: Colour = [80, 150, 255];
export const FLAT: Colour = [70, 200, 220];
/** Outlines of zones and lines. */
export const ZONE: Colour = [120, 200, 255];
export const LINE: Colour = [255, 160, 40];
export const QUIET: Colour = [52, 56, 62];

const REASONS: Readonly<Record<SuppressionReason, Colour>> = {
  learning: HELD,
  'too-small': [120, 120, 110],
  'too-short': [190, 190, 170],
  'in-place': SWAY,
  lighting: LIGHT,
  'whole-scene': [210, 110, 240],
  'outside-zones': [140, 100, 60],
  'zone-inactive': [90, 90, 200],
  'zone-too-small': [200, 140, 120],
  'zone-dwell': [255, 170, 60],
  cooldown: [150, 170, 190],
  'daily-limit': [230, 120, 160],
};

/** Colour of a decision on the time line and beside its words. */
export function colourOf({ kind, reason }: { readonly kind: string; readonly reason?: string }): Colour {
  if (kind === 'motion') return MOTION;
  return kind === 'quiet'
    ? QUIET
    : ((REASONS as Readonly<Record<string, Colour | undefined>>)[reason ?? ''] ?? FLAT);
}

/** What the time line's colours mean, in the order in which they are told. */
export const LEGEND: readonly (readonly [words: string, colour: Colour])[] = [
  ['motion', MOTION],
  ...Object.entries(REASONS),
  ['other reason', FLAT],
];
