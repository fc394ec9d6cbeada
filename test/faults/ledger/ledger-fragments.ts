import { createHash } from 'node:crypto';
import { readFileSync, truncateSync } from 'node:fs';
import type { LedgerDeps, OutgoingEvent } from '../../../agent/ledger/ledger.ts';

/** Stands for a second of video: the writer adds whole ones, a kill may leave part of one. */
export const FRAGMENT_BYTES = 64 * 1024;
export const fragment = (index: number): Buffer => Buffer.alloc(FRAGMENT_BYTES, `fragment ${index} `);

export const sha256Of = (file: string): string =>
  createHash('sha256').update(readFileSync(file)).digest('hex');

/** Keeps whole fragments, as the repair of torn clips does with those of a camera. */
export const recoverFragments: LedgerDeps['recoverTorn'] = async (file) => {
  const fragments = Math.floor(readFileSync(file).length / FRAGMENT_BYTES);
  if (fragments === 0) return undefined;
  truncateSync(file, fragments * FRAGMENT_BYTES);
  return { durationMs: fragments, bytes: fragments * FRAGMENT_BYTES, sha256: sha256Of(file) };
};

const MOVES: Readonly<Record<string, string>> = {
  'clip.sealed': 'seal',
  'clip.uploaded': 'upload',
  'clip.lost': 'lose',
};

/** The move of a clip that an event tells of, as `<clip id> <event of custody>`; null when it is about no clip. */
export function moveOf({ event, body }: OutgoingEvent): string | null {
  const { data } = JSON.parse(body) as { data: { clipId?: string } };
  return event in MOVES ? `${data.clipId} ${MOVES[event]}` : null;
}

/** The moves of custody that are told. */
export const TOLD_MOVES: readonly string[] = Object.values(MOVES);

/** The same numbers for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
