/** Compares a clip's bytes with what its recorder wrote. */
import { createHash } from 'node:crypto';
import { readHeader } from '../../../../agent/capture/boxes.ts';
import type { JournalClip } from './journal.ts';

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export interface Compared {
  /** What no recorder wrote; null when there is nothing of the kind. */
  readonly foreign: string | null;
  /** Of what was on disk, or was being written, how much is missing. */
  readonly tornMs: number;
}

/** @param bytes the whole clip */
export function compareClip(bytes: Buffer, clip: JournalClip): Compared {
  const parts: Buffer[] = [];
  let begin = 0;
  for (let at = 0; at < bytes.length; ) {
    const box = readHeader(bytes, at);
    if (!box || at + box.bytes > bytes.length)
      return { foreign: `a broken box at byte ${at}`, tornMs: tornOf(clip, new Set()) };
    at += box.bytes;
    // The init segment ends with its moov, a fragment with its mdat.
    if (box.type !== 'moov' && box.type !== 'mdat') continue;
    parts.push(bytes.subarray(begin, at));
    begin = at;
  }
  const [init, ...fragments] = parts.map(sha256Of);
  const written = new Set(clip.fragments.map(({ sha256 }) => sha256));
  const strange = fragments.findIndex((sha256) => !written.has(sha256));
  const foreign =
    init !== clip.init?.sha256
      ? 'another beginning than was written'
      : strange >= 0
        ? `fragment ${strange + 1} of ${fragments.length} is not what was written`
        : begin < bytes.length
          ? `${bytes.length - begin} bytes behind the last fragment`
          : null;
  return { foreign, tornMs: tornOf(clip, new Set(fragments)) };
}

/** Fragments that were reported as on disk and are not there, and those that were being written one at a time. What was
 *  still in memory at the trigger (pre-roll) is not counted before it is on disk. */
function tornOf(clip: JournalClip, kept: ReadonlySet<string>): number {
  let tornMs = 0;
  const lengthMs = (index: number) => clip.fed.get(index) ?? clip.fragments[index]?.ms ?? 0;
  for (let index = 0; index < clip.durable; index++)
    if (!kept.has(clip.fragments[index]?.sha256 ?? '')) tornMs += lengthMs(index);
  for (const [index, ms] of clip.fed)
    if (index >= clip.durable && !kept.has(clip.fragments[index]?.sha256 ?? '')) tornMs += ms;
  return tornMs;
}
