import type { Ledger } from '../ledger/ledger.ts';

/** For so long a person is what the owner wants to hear of first. */
const PERSON_NEWS_MS = 12 * 3_600_000;
/** Uploads are judged within minutes; later than this something is wrong in the cloud. */
const OVERDUE_MS = 30 * 60_000;

/** What has become of clips, as far as the owner has to hear of it. */
export interface ClipNews {
  /** Clips judged in the last hours that show a person. */
  readonly persons: {
    readonly count: number;
    /** When the latest was triggered, wall time, Unix milliseconds. */
    readonly latestMs: number;
    readonly cameraIds: readonly string[];
  } | null;
  /** Since when a verdict is missing that is overdue, wall time, Unix milliseconds. */
  readonly overdueSinceMs: number | null;
}

/** @throws Failure while the ledger does not answer */
export function readClipNews(
  ledger: Pick<Ledger, 'judgedPersons' | 'awaitingVerdict'>,
  nowMs: number,
): ClipNews {
  const persons = ledger.judgedPersons(nowMs - PERSON_NEWS_MS);
  const [overdue] = ledger.awaitingVerdict(OVERDUE_MS, 1);
  return {
    persons:
      persons.length === 0
        ? null
        : {
            count: persons.length,
            latestMs: Math.max(...persons.map(({ triggeredMs }) => triggeredMs)),
            cameraIds: [...new Set(persons.map(({ cameraId }) => cameraId))],
          },
    overdueSinceMs: overdue ? (overdue.uploadedMs ?? overdue.triggeredMs) : null,
  };
}
