import type { StreamUnit } from '../../../../agent/capture/rtsp/rtp-units.ts';
import {
  makePictures,
  type MadePicture,
  type PicturesOptions,
} from '../../../../hardware/simulators/camera/made-pictures.ts';

/** Units as they come out of packets, with four free bytes in front. */
export const unitsOf = (picture: MadePicture, stampMs: number | undefined, afterLoss = false): StreamUnit[] =>
  picture.units.map((unit, index) => ({
    unit: Buffer.concat([Buffer.from([0, 0, 0, 1]), unit]),
    encoding: picture.coding ?? 'H264',
    stampMs,
    afterLoss: afterLoss && index === 0,
  }));

export const small = (settings: PicturesOptions = {}): Promise<MadePicture[]> =>
  makePictures({ width: 160, height: 96, fps: 10, seconds: 2, ...settings });
