/** What a power cut leaves of part files: what was not synced is gone, or zeros, from some byte on. */
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import type { JournalClip } from '../journal.ts';

/** @param clips as their writers told of them; nobody may be writing any more
 *  @param share of the bytes behind the last sync that stay: 0 none, 1 all. Below a half the files end there, else
 *  they go on with zeros */
export function loseUnsynced(
  clips: Iterable<Pick<JournalClip, 'partFile' | 'durableBytes'>>,
  share: number,
): void {
  for (const { partFile, durableBytes } of clips) {
    const size = statSync(partFile, { throwIfNoEntry: false })?.size;
    if (size === undefined || size <= durableBytes) continue;
    const keep = durableBytes + Math.floor((size - durableBytes) * share);
    const fd = openSync(partFile, 'r+');
    if (share < 0.5) ftruncateSync(fd, keep);
    else writeSync(fd, Buffer.alloc(size - keep), 0, undefined, keep);
    closeSync(fd);
  }
}
