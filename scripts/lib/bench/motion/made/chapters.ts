import type { Actor } from './actors.ts';
import type { Backdrop, BackdropKind } from './backdrops.ts';
import type { Random } from './canvas.ts';
import * as weather from './weather.ts';

/** One clip: what is to be seen, and what comes. */
export interface Recipe {
  readonly name: string;
  readonly seconds: number;
  readonly backdrop: Backdrop;
  readonly effects: readonly weather.Effect[];
  readonly actors: readonly Actor[];
  /** Deviation of the sensor's noise, grey levels. */
  readonly noise: number;
  /** x264's constant quality: a cheap camera has 34 and more. */
  readonly quality: number;
}

/** What a chapter is written from. */
export interface Draft {
  readonly backdrop: Backdrop;
  readonly random: Random;
  readonly seed: number;
}

type Part = Partial<Pick<Recipe, 'effects' | 'actors' | 'noise' | 'quality'>>;
/** One kind of clip; each half has it once, with other numbers. */
export type Chapter = readonly [kind: BackdropKind, make: (draft: Draft) => Part];

export const breeze = ({ backdrop, seed }: Draft, reach = 3) =>
  weather.foliage(backdrop, seed, reach, weather.always);
/** An exposure that cannot make up its mind. */
export const pumping = (t: number) =>
  [1 + 0.22 * Math.sin(1.3 * t) * Math.sin(0.4 * t), -8 * Math.sin(0.9 * t)] as const;
