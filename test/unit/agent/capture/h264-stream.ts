import type { Units } from '../../../../agent/capture/unit-reader.ts';
import {
  makePictures,
  type MadePicture,
  type PicturesWish,
} from '../../../../hardware/simulators/camera/made-pictures.ts';

/** Units as the pipeline hands them on: one each, with four free bytes in front. */
export const unitsOf = (picture: MadePicture, stampMs: number | undefined, afterLoss = false): Units[] =>
  picture.units.map((unit, index) => ({
    units: [Buffer.concat([Buffer.from([0, 0, 0, 1]), unit])],
    stampMs,
    afterLoss: afterLoss && index === 0,
  }));

export const small = (wish: PicturesWish = {}): Promise<MadePicture[]> =>
  makePictures({ width: 160, height: 96, fps: 10, seconds: 2, ...wish });
