import { Failure } from '../../kernel/failure.ts';
import { readPps, readSps, type Sps, UNIT } from './parameter-sets.ts';

/** The parameter sets that pictures from one key frame on need. */
export interface StreamSets {
  readonly sps: Sps;
  /** NAL units without start codes. */
  readonly spsUnit: Buffer;
  readonly ppsUnits: readonly Buffer[];
}

export interface KnownSets {
  /** A NAL unit that is no slice; what is no parameter set, or cannot be read, changes nothing. */
  learn(type: number, unit: Buffer): void;
  /** What a picture with this PPS needs. Undefined: it never came, or could not be read. */
  setsFor(ppsId: number): StreamSets | undefined;
}

/** `avcC` counts up to 255 of them in a byte, of 256 that there can be. */
const MAX_PPS = 255;

/** The newest parameter sets of a stream, by their numbers. */
export function createKnownSets(): KnownSets {
  const spsById = new Map<number, { sps: Sps; unit: Buffer }>();
  const ppsById = new Map<number, { spsId: number; unit: Buffer }>();
  return {
    learn: (type, unit) => {
      if (type === UNIT.sps) {
        const sps = ifReadable(() => readSps(unit));
        if (sps) spsById.set(sps.id, { sps, unit });
      } else if (type === UNIT.pps) {
        const pps = ifReadable(() => readPps(unit));
        if (pps) ppsById.set(pps.id, { spsId: pps.spsId, unit });
      }
    },
    setsFor: (ppsId) => {
      const pps = ppsById.get(ppsId);
      const found = pps && spsById.get(pps.spsId);
      if (!pps || !found) return undefined;
      // Pictures behind the key frame may use the others. Their order does not depend on which one is used first.
      const all = [...ppsById.values()].filter(({ spsId }) => spsId === pps.spsId).slice(0, MAX_PPS);
      return { sps: found.sps, spsUnit: found.unit, ppsUnits: all.map(({ unit }) => unit) };
    },
  };
}

/** What cannot be read counts as not sent. */
export function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure && error.kind === 'corrupt') return undefined;
    throw error;
  }
}
