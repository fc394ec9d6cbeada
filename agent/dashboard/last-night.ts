import { VERDICTS } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ClipGlance, Ledger } from '../ledger/ledger.ts';
import { hasThumbnail } from './clips.ts';
import { lastNight } from './night.ts';
import { pictureAddresses } from './views.ts';

/** Newest clips that are looked at: a clip every 25 seconds for a whole night. */
const LOOKED_AT = 2_000;
/** Persons with a picture on the first screen. */
const MAX_PERSONS = 6;

/** How a clip of the night counts: by its verdict, or without one. */
const OUTCOMES = [...VERDICTS, 'unjudged', 'parked', 'lost'] as const;
type Outcome = (typeof OUTCOMES)[number];

/** What happened last night, by the house's clock: how many clips, by camera and outcome, and who was seen.
 *  @throws Failure while the ledger does not answer */
export async function lastNightView(deps: {
  readonly ledger: Pick<Ledger, 'glance' | 'clip'>;
  readonly cameras: () => readonly CameraStatus[];
  readonly clock: Pick<Clock, 'nowMs'>;
  /** IANA name of the house's time zone. */
  readonly timeZone: string;
}) {
  const { fromMs, toMs, isNow } = lastNight(deps.clock.nowMs(), deps.timeZone);
  const { clips, reachesBack } = deps.ledger.glance({ fromMs, toMs, newest: LOOKED_AT });
  const cameras = deps.cameras();
  const titleOf = (id: string) => cameras.find(({ cameraId }) => cameraId === id)?.title ?? id;
  const cameraIds = [...new Set(clips.map(({ cameraId }) => cameraId))].toSorted();
  const persons = clips.filter((clip) => outcomeOf(clip) === 'person');
  return {
    fromUtc: new Date(fromMs).toISOString(),
    toUtc: new Date(toMs).toISOString(),
    isNow,
    clips: clips.length,
    /** The night had more clips than were looked at. */
    isCut: !reachesBack,
    outcomes: countsOf(clips),
    cameras: cameraIds.map((cameraId) => {
      const here = clips.filter((clip) => clip.cameraId === cameraId);
      return { cameraId, title: titleOf(cameraId), clips: here.length, outcomes: countsOf(here) };
    }),
    persons: await Promise.all(
      persons.slice(0, MAX_PERSONS).map(async ({ clipId, cameraId, triggeredMs, revision }) => {
        const clip = deps.ledger.clip(clipId);
        return {
          clipId,
          cameraTitle: titleOf(cameraId),
          triggeredUtc: new Date(triggeredMs).toISOString(),
          ...pictureAddresses(clipId, {
            hasThumbnail: clip !== undefined && (await hasThumbnail(clip)),
            revision,
          }),
        };
      }),
    ),
  };
}

function outcomeOf({ state, verdict }: ClipGlance): Outcome {
  if (state === 'lost' || state === 'parked') return state;
  return verdict ?? 'unjudged';
}

/** Only what there is, in the order of `OUTCOMES`. */
function countsOf(clips: readonly ClipGlance[]): Partial<Record<Outcome, number>> {
  const counts: Partial<Record<Outcome, number>> = {};
  for (const outcome of OUTCOMES) {
    const count = clips.filter((clip) => outcomeOf(clip) === outcome).length;
    if (count > 0) counts[outcome] = count;
  }
  return counts;
}
