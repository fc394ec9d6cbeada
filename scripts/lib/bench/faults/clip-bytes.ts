/** Compares a clip's bytes with what its recorder was given. */
import { createHash } from 'node:crypto';
import { readHeader, readInit, readMoof } from '../../../../agent/capture/mp4/boxes.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import type { JournalClip } from './journal.ts';

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export interface ReadClip {
  /** Checksums of its fragments. */
  readonly fragments: ReadonlySet<string>;
  /** Why it is not what was recorded; null when it is. */
  readonly foreign: string | null;
}

/** @param bytes the whole clip
 *  @param init of the camera */
export function readClip(bytes: Buffer, init: Buffer, clip: JournalClip): ReadClip {
  const fragments = new Set<string>();
  const given = new Set(clip.fragments.map(({ sha256 }) => sha256));
  const problem = (what: string): ReadClip => ({ fragments, foreign: what });
  if (!bytes.subarray(0, init.length).equals(init)) return problem('it does not begin as the camera does');
  const track = readInit(init);
  let expected: number | undefined;
  for (let at = init.length; at < bytes.length; ) {
    const box = readHeader(bytes, at);
    if (!box || at + box.bytes > bytes.length) return problem(`a broken box at byte ${at}`);
    const whole = bytes.subarray(at, at + box.bytes);
    at += box.bytes;
    // What a repair has set aside, and copies of the beginning.
    if (box.type === 'free' || box.type === 'uuid') continue;
    if (box.type === 'moof') {
      try {
        expected = readMoof(whole, track).sampleBytes;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return problem(`a broken index at byte ${at}`);
      }
      continue;
    }
    if (box.type !== 'mdat') return problem(`a strange box ${JSON.stringify(box.type)}`);
    if (expected !== box.bytes - box.headerBytes) return problem(`samples without their index at byte ${at}`);
    expected = undefined;
    const sha256 = sha256Of(whole);
    if (!given.has(sha256)) return problem(`samples before byte ${at} that were never recorded`);
    fragments.add(sha256);
  }
  return { fragments, foreign: expected === undefined ? null : 'an index without samples at its end' };
}

/** Milliseconds that are nowhere: of fragments that were reported as on disk, and of those that were being written one
 *  at a time. What was in memory at the trigger (pre-roll) does not count before it is on disk.
 *  @param kept what is in any clip: recording goes on in the next one after a failure of the disk */
export function tornMsOf(clip: JournalClip, kept: ReadonlySet<string>): number {
  return clip.fragments.reduce(
    (sum, { sha256, ms, live }, index) =>
      (live || index < clip.durable) && !kept.has(sha256) ? sum + ms : sum,
    0,
  );
}
