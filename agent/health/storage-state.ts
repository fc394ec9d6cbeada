import type { ReportedStorage, TelemetryData } from '@dachawatch/contracts';
import { type LedgerSummary, MIN_FREE_BYTES } from '../ledger/ledger.ts';

export type StorageState = TelemetryData<'storage.state'>['state'];

/** Share of the room that is taken by clips which are nowhere else. */
const NEARLY_FULL_FROM = 0.9;
const NEARLY_FULL_UNTIL = 0.85;
/** About one clip, and a few. */
const FULL_BELOW_BYTES = 15_000_000;
const FULL_UNTIL_BYTES = 60_000_000;

export interface StorageFigures extends Pick<ReportedStorage, 'clipBytesMax' | 'diskFreeBytes'> {
  readonly summary: Pick<LedgerSummary, 'bytes' | 'bytesOnlyHere'>;
}

/** Says how much room there is for evidence.
 *  Clips that are in Blob Storage do not count: their files go when room is needed, and a recorder that works well
 *  keeps its disk full of them.
 *  room · nearly-full: soon clips that are nowhere else are given up for newer ones · full: nothing can be recorded,
 *  because others have filled the disk. A state is left later than it is entered. */
export function createStorageJudge(): (figures: StorageFigures) => StorageState {
  let state: StorageState = 'room';
  return ({ summary, clipBytesMax, diskFreeBytes }) => {
    const onDisk = diskFreeBytes + summary.bytes - MIN_FREE_BYTES;
    const forClips = Math.max(0, Math.min(clipBytesMax, onDisk));
    const full = onDisk < (state === 'full' ? FULL_UNTIL_BYTES : FULL_BELOW_BYTES);
    const limit = state === 'room' ? NEARLY_FULL_FROM : NEARLY_FULL_UNTIL;
    state = full ? 'full' : summary.bytesOnlyHere >= forClips * limit ? 'nearly-full' : 'room';
    return state;
  };
}
