import type { Background } from './background.ts';
import type { FrameSize } from '../frame-size.ts';

/** How far a pole or a gust moves the picture, pixels. Farther: the camera was turned, and the scene is another. */
export const MAX_SHIFT = 5;
/** A shift is believed when it explains this much better than none. */
const MUST_EXPLAIN = 0.8;
/** Share of the frames that were shifted, above which the edges of the scene are compared with tolerance. */
const SHAKY = 0.15;
const SHAKY_MS = 2_000;
const CALM_MS = 10_000;
/** A frame that differs from the scene no more than usual is not searched for a shift. */
const UNUSUAL = 1.1;
const USUAL_MS = 3_900;
const STILL = 0.02;
const ROW_STEP = 3;
const COLUMN_STEP = 4;
/** One pixel that differs by more than this says no more. */
const CLIP = 40;

/** Camera shake: one translation of the whole picture, found from the sums of its columns and rows, and proved on
 *  single pixels. (Projection profiles: Ratakonda 1998, "Real-time digital video stabilization for multi-media
 *  applications".) */
export function createShakeCompensation({ width, height }: FrameSize, background: Background) {
  const columnsOfFrame = new Int32Array(width);
  const columnsOfScene = new Int32Array(width);
  const rowsOfFrame = new Int32Array(height);
  const rowsOfScene = new Int32Array(height);
  const { scene } = background;
  const shift = { x: 0, y: 0 };
  const known = { shaking: 0, usual: 0, first: true };

  function profile(frame: Uint8Array): void {
    columnsOfFrame.fill(0);
    columnsOfScene.fill(0);
    rowsOfFrame.fill(0);
    rowsOfScene.fill(0);
    for (let y = 0; y < height; y += ROW_STEP)
      for (let x = 0, i = y * width; x < width; x++, i++) {
        columnsOfFrame[x] = (columnsOfFrame[x] as number) + (frame[i] as number);
        columnsOfScene[x] = (columnsOfScene[x] as number) + (scene[i] as number);
      }
    for (let y = 0; y < height; y++) {
      let ofFrame = 0;
      let ofScene = 0;
      for (let i = y * width; i < (y + 1) * width; i += COLUMN_STEP) {
        ofFrame += frame[i] as number;
        ofScene += scene[i] as number;
      }
      rowsOfFrame[y] = ofFrame;
      rowsOfScene[y] = ofScene;
    }
  }

  /** Compares steps from one sum to the next, which do not see brightness. */
  function bestShift(frame: Int32Array, still: Int32Array): number {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    let without = 0;
    for (let by = -MAX_SHIFT; by <= MAX_SHIFT; by++) {
      let sum = 0;
      for (let i = MAX_SHIFT + 1; i < still.length - MAX_SHIFT - 1; i++) {
        const ofFrame = (frame[i + by] as number) - (frame[i + by - 1] as number);
        const ofScene = (still[i] as number) - (still[i - 1] as number);
        sum += Math.abs(ofFrame - ofScene);
      }
      if (by === 0) without = sum;
      if (sum < least) {
        least = sum;
        best = by;
      }
    }
    return least < without * MUST_EXPLAIN ? best : 0;
  }

  function missAt(frame: Uint8Array, dx: number, dy: number): number {
    let sum = 0;
    for (let y = MAX_SHIFT; y < height - MAX_SHIFT; y += 4)
      for (let x = MAX_SHIFT; x < width - MAX_SHIFT; x += 4) {
        const miss = (frame[(y + dy) * width + x + dx] as number) - (scene[y * width + x] as number);
        sum += Math.min(CLIP, Math.abs(miss));
      }
    return sum;
  }

  function move(frame: Uint8Array, into: Uint8Array): void {
    const left = Math.max(0, -shift.x);
    const right = Math.min(width, width - shift.x);
    const by = shift.y * width + shift.x;
    into.set(scene);
    for (let y = Math.max(0, -shift.y); y < Math.min(height, height - shift.y); y++)
      for (let i = y * width + left; i < y * width + right; i++) into[i] = frame[i + by] as number;
  }

  return {
    /** Moves the picture back onto the scene: `into` gets it; what it does not show is as the scene is.
     *  @returns whether the picture was moved */
    align(frame: Uint8Array, into: Uint8Array, elapsedMs: number): boolean {
      const without = missAt(frame, 0, 0);
      const unusual = known.first || without > UNUSUAL * known.usual;
      known.usual += (without - known.usual) * (known.first ? 1 : 1 - Math.exp(-elapsedMs / USUAL_MS));
      known.first = false;
      if (!unusual && known.shaking < STILL) {
        known.shaking -= known.shaking * Math.min(0.5, elapsedMs / CALM_MS);
        return false;
      }
      profile(frame);
      shift.x = bestShift(columnsOfFrame, columnsOfScene);
      shift.y = bestShift(rowsOfFrame, rowsOfScene);
      let moved = shift.x !== 0 || shift.y !== 0;
      if (moved && missAt(frame, shift.x, shift.y) > MUST_EXPLAIN * without) moved = false;
      const share = moved ? elapsedMs / SHAKY_MS : elapsedMs / CALM_MS;
      known.shaking += ((moved ? 1 : 0) - known.shaking) * Math.min(0.5, share);
      if (!moved) return false;
      move(frame, into);
      return true;
    },
    shaky: () => known.shaking > SHAKY,
  };
}
