import { Failure } from '../../kernel/failure.ts';
import type { Coding, Encoding, Pps, Sps } from './coding.ts';

/** The parameter sets that pictures from one key frame on need. */
export interface StreamSets {
  readonly encoding: Encoding;
  readonly sps: Sps;
  /** NAL units without start codes. The first only of H.265, and not of every camera. */
  readonly vpsUnit?: Buffer | undefined;
  readonly spsUnit: Buffer;
  readonly ppsUnits: readonly Buffer[];
}

/** In the order in which a decoder wants them. */
export const unitsOfSets = ({ vpsUnit, spsUnit, ppsUnits }: StreamSets): readonly Buffer[] =>
  vpsUnit ? [vpsUnit, spsUnit, ...ppsUnits] : [spsUnit, ...ppsUnits];

export interface KnownSets {
  /** A NAL unit that is no slice; what is no parameter set, or cannot be read, changes nothing. */
  learn(unit: Buffer): void;
  /** What a picture with this PPS needs. Undefined: it never came, or could not be read. */
  setsFor(ppsId: number): StreamSets | undefined;
  /** The sets by which the header of a slice is read. */
  headerSets(ppsId: number): { readonly sps: Sps; readonly pps: Pps } | undefined;
}

/** `avcC` counts up to 255 of them in a byte, of 256 that there can be. */
const MAX_PPS = 255;

/** The newest parameter sets of a stream, by their numbers. */
export function createKnownSets(coding: Coding): KnownSets {
  const vpsById = new Map<number, Buffer>();
  const spsById = new Map<number, { sps: Sps; unit: Buffer }>();
  const ppsById = new Map<number, { pps: Pps; unit: Buffer }>();

  function find(ppsId: number) {
    const pps = ppsById.get(ppsId);
    const sps = pps && spsById.get(pps.pps.spsId);
    return pps && sps ? { pps, sps } : undefined;
  }

  return {
    learn: (unit) => {
      const kind = coding.kindOf(unit);
      if (kind === 'vps') {
        const id = ifReadable(() => coding.readVps?.(unit));
        if (id !== undefined) vpsById.set(id, unit);
      } else if (kind === 'sps') {
        const sps = ifReadable(() => coding.readSps(unit));
        if (sps) spsById.set(sps.id, { sps, unit });
      } else if (kind === 'pps') {
        const pps = ifReadable(() => coding.readPps(unit));
        if (pps) ppsById.set(pps.id, { pps, unit });
      }
    },
    setsFor: (ppsId) => {
      const found = find(ppsId);
      if (!found) return undefined;
      const { sps, unit: spsUnit } = found.sps;
      // Pictures behind the key frame may use the others. Their order does not depend on which one is used first.
      const all = [...ppsById.values()].filter(({ pps }) => pps.spsId === found.pps.pps.spsId);
      const ppsUnits = all.slice(0, MAX_PPS).map(({ unit }) => unit);
      const vpsUnit = sps.h265 && vpsById.get(sps.h265.vpsId);
      return { encoding: coding.encoding, sps, vpsUnit, spsUnit, ppsUnits };
    },
    headerSets: (ppsId) => {
      const found = find(ppsId);
      return found && { sps: found.sps.sps, pps: found.pps.pps };
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
