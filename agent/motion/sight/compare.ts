import { correlation, isShifted, likeness, type SightMeasures } from './measures.ts';
import type { Usual } from './usual.ts';

/** Why a picture does not show the scene. */
export type Blindness = 'covered' | 'dark' | 'blinded' | 'defocused' | 'turned';

/** `between`: the scene is neither itself nor hidden. */
export type SceneVerdict = Blindness | 'clear' | 'between';

/** Of the cells that usually show something: as many is the scene, fewer is none of it. */
const MOST_CELLS = 0.7;
const FEW_CELLS = 0.35;
/** Of all cells: less is no scene. */
const NO_SCENE = 0.08;
/** Brightness: nothing can be seen in it; dusk; more than a night with lamps or infrared; nothing but
 *  light. */
const DARK = 30;
const DUSK = 60;
const DAY = 90;
const BRIGHT = 215;
/** Likeness: of a scene in another light at least the first; of two scenes less than the second; without a doubt the same
 *  from the third on. */
const ALIKE = 0.35;
const FOREIGN = 0.15;
const SAME = 0.8;
/** Of the usual detail. Where there is less than the second, only noise is left to compare. */
const SOFT = 0.45;
const LEAST_DETAIL = 0.3;
/** Brightness stays where it is when only the focus goes; day and night do not leave it there. */
const SAME_LIGHT = { correlation: 0.95, level: 0.2 } as const;

/** Nothing but an even surface, and neither dusk nor the sun. */
export const isNoScene = ({ level, structured }: SightMeasures): boolean =>
  level > DUSK && level < BRIGHT && share(structured) < NO_SCENE;

const share = (cells: ArrayLike<number>): number => {
  let sum = 0;
  for (let at = 0; at < cells.length; at++) sum += cells[at] as number;
  return sum / cells.length;
};

/** The scene as it is now, beside its past.
 *  @param width of the coarse picture */
export function compare(seen: SightMeasures, usual: Usual, width: number): SceneVerdict {
  const kept = keptStructure(seen, usual);
  if (kept === undefined) return isNoScene(seen) ? 'covered' : 'clear';
  if (kept < FEW_CELLS) return hiddenBy(seen, usual);
  const alike = likeness(seen.coarse, usual.coarse, width);
  if (alike !== undefined && alike < FOREIGN && usual.level >= DUSK) return 'turned';
  if (isSoft(seen, usual)) return 'defocused';
  if (alike !== undefined && alike < SAME && isShifted(usual.coarse, seen.coarse, width)) return 'turned';
  return kept >= MOST_CELLS && (alike === undefined || alike >= ALIKE) ? 'clear' : 'between';
}

/** Of the cells that usually show something, the share that does now; undefined: the scene has next to none. */
function keptStructure({ structured }: SightMeasures, usual: Usual): number | undefined {
  let kept = 0;
  let all = 0;
  for (let at = 0; at < structured.length; at++) {
    const weight = usual.structured[at] as number;
    all += weight;
    kept += weight * (structured[at] as number);
  }
  return all < structured.length * NO_SCENE ? undefined : kept / all;
}

function hiddenBy(seen: SightMeasures, usual: Usual): SceneVerdict {
  if (seen.level >= BRIGHT) return 'blinded';
  // A lamp or the camera's infrared that goes out, at night or at dawn, leaves as little.
  if (seen.level < DUSK && usual.level < DAY) return 'between';
  return seen.level > DARK ? 'covered' : 'dark';
}

function isSoft(seen: SightMeasures, usual: Usual): boolean {
  if (usual.detail < LEAST_DETAIL || seen.detail >= usual.detail * SOFT) return false;
  const sameLevel = Math.abs(seen.level - usual.level) <= usual.level * SAME_LIGHT.level;
  return sameLevel && correlation(seen.cellLevels, usual.cellLevels) >= SAME_LIGHT.correlation;
}
