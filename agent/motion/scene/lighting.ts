import type { FrameSize } from '../frame-size.ts';

/** How the brightness of the whole scene changed: `frame = gain * background + offset`. */
export interface Light {
  gain: number;
  offset: number;
  /** Mean change of the pixels that follow it, grey levels. */
  change: number;
}

/** Every fourth pixel in both directions is enough. */
const STEP = 4;
/** Pixels that differ by more from the common change are something else. */
const INLIER = 14;
/** Fewer samples say nothing. */
const LEAST_SAMPLES = 200;
/** Fewer followers: not one change of light but another picture. */
const MIN_FOLLOWERS = 0.5;
/** At both ends the sensor clips, and says nothing about light. */
const DARKEST = 6;
const BRIGHTEST = 249;

/** Fits one gain and offset to a frame: exposure, a cloud, dusk. Returns undefined when the picture does not follow
 *  one; the returned object is the same at every call. */
export function createLightFit({ width, height }: FrameSize) {
  const most = Math.ceil(width / STEP) * Math.ceil(height / STEP);
  const ofFrame = new Uint8Array(most);
  const ofScene = new Uint8Array(most);
  const differences = new Uint16Array(511);
  const light: Light = { gain: 1, offset: 0, change: 0 };

  /** Takes the samples of both pictures that say something about light.
   *  @returns how many */
  function sample(frame: Uint8Array, scene: Uint8Array): number {
    let count = 0;
    for (let y = 2; y < height; y += STEP) {
      for (let i = y * width + 2; i < (y + 1) * width; i += STEP) {
        const f = frame[i] as number;
        if (f < DARKEST || f > BRIGHTEST) continue;
        ofFrame[count] = f;
        ofScene[count++] = scene[i] as number;
      }
    }
    return count;
  }

  /** Median of frame minus background: no minority of moving pixels can shift it. */
  function medianDifference(count: number): number {
    differences.fill(0);
    for (let k = 0; k < count; k++) {
      const bin = 255 + (ofFrame[k] as number) - (ofScene[k] as number);
      differences[bin] = (differences[bin] as number) + 1;
    }
    let below = 0;
    let bin = 0;
    while (bin < 510 && (below += differences[bin] as number) < count / 2) bin++;
    return bin - 255;
  }

  /** Least squares over the samples that follow `light`, which is made better.
   *  @returns whether enough of them do */
  function refine(count: number): boolean {
    const { gain, offset } = light;
    let n = 0;
    let sb = 0;
    let sf = 0;
    let sbb = 0;
    let sbf = 0;
    for (let k = 0; k < count; k++) {
      const f = ofFrame[k] as number;
      const b = ofScene[k] as number;
      const miss = f - gain * b - offset;
      if (miss > INLIER || miss < -INLIER) continue;
      n++;
      sb += b;
      sf += f;
      sbb += b * b;
      sbf += b * f;
    }
    if (n < MIN_FOLLOWERS * count) return false;
    const spread = sbb - (sb * sb) / n;
    // A picture of one brightness says nothing about gain.
    const slope = spread / n < 25 ? 1 : (sbf - (sb * sf) / n) / spread;
    light.gain = Math.min(3, Math.max(0.33, slope));
    light.offset = (sf - light.gain * sb) / n;
    light.change = Math.abs(sf - sb) / n + Math.abs(light.gain - 1) * Math.sqrt(spread / n);
    return true;
  }

  return function fit(frame: Uint8Array, scene: Uint8Array): Light | undefined {
    const count = sample(frame, scene);
    if (count < LEAST_SAMPLES) return undefined;
    light.gain = 1;
    light.offset = medianDifference(count);
    for (let round = 0; round < 2; round++) if (!refine(count)) return undefined;
    return light;
  };
}
