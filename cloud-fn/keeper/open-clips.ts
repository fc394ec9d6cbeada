import type { ClipOfAnalysis } from '../orchestrators/clip-analysis-steps.ts';
import { isClipAnalysisInput } from '../orchestrators/read-payload.ts';
import { openClipPlace } from '../ports/instance-places.ts';
import { PortFailure } from '../ports/port-failure.ts';
import { json, MAX_DOCUMENT_BYTES, type StoragePort } from '../ports/storage.ts';

/** A clip about which something is still to be done: `open/<instance>.json`. */
export interface OpenClip {
  readonly clip: ClipOfAnalysis;
  /** How long its orchestrations wait for the worker. */
  readonly waitMs: number;
  /** How often the keeper had it analysed again. */
  readonly asked: number;
  /** Grows when something new was stored about it. */
  readonly touched: number;
}

const ROUNDS = 5;

/** Notes a clip as open, unless it is. @returns false: it was */
export function noteOpenClip(
  storage: Pick<StoragePort, 'createBlob'>,
  firstId: string,
  { clip, waitMs }: Pick<OpenClip, 'clip' | 'waitMs'>,
): Promise<boolean> {
  const fresh: OpenClip = { clip, waitMs, asked: 0, touched: 0 };
  return storage.createBlob(openClipPlace(firstId), json(fresh));
}

/** Notes that there is something to do about a clip: it was announced, or an answer was stored. Whoever closes it does so
 *  by the etag that was read before everything else, so what is noted meanwhile keeps it open. */
export async function openClip(
  storage: Pick<StoragePort, 'createBlob' | 'readBlob' | 'replaceBlob'>,
  firstId: string,
  about: Pick<OpenClip, 'clip' | 'waitMs'>,
): Promise<void> {
  const place = openClipPlace(firstId);
  for (let round = 0; round < ROUNDS; round += 1) {
    if (await noteOpenClip(storage, firstId, about)) return;
    const found = await storage.readBlob(place, MAX_DOCUMENT_BYTES);
    if (!found) continue;
    const before = readOpenClip(found.bytes) ?? { ...about, asked: 0, touched: 0 };
    const next: OpenClip = { ...before, touched: before.touched + 1 };
    if (await storage.replaceBlob(place, json(next), found.etag)) return;
  }
  throw new PortFailure('transient', 'open-clip.contended', 'others keep writing the note of this clip');
}

/** Undefined for what is no such note. */
export function readOpenClip(bytes: Buffer): OpenClip | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as Partial<OpenClip> | null;
    if (!isClipAnalysisInput({ ...value, revision: 1 })) return undefined;
    const count = (given: unknown) => (Number.isSafeInteger(given) ? (given as number) : 0);
    return { ...(value as OpenClip), asked: count(value?.asked), touched: count(value?.touched) };
  } catch {
    return undefined;
  }
}
