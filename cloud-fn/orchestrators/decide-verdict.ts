import {
  type AnalysisDetails,
  BOXES_MAX,
  cleanText,
  type ProcessingResult,
  type Verdict,
} from '@dachawatch/contracts';
import type { Problem } from './clip-analysis-steps.ts';

type Detection = AnalysisDetails['detections'][number];
type Track = NonNullable<Detection['tracks']>[number];

/** What was seen, before anybody has been told. */
export interface Judgement {
  readonly verdict: Verdict['verdict'];
  readonly decision: Verdict['decision'];
  readonly labels: readonly string[];
  readonly confidence: number;
  readonly reason: string;
  /** The worker's best frame, with the boxes of what counts. */
  readonly frame?: {
    readonly blobName: string;
    readonly at_ms: number;
    readonly boxes: readonly { readonly label: string; readonly box: Detection['boxes'][number] }[];
  };
  readonly analysedUtc?: string;
  readonly problem?: Problem;
}

interface Kind {
  readonly verdict: 'person' | 'vehicle' | 'animal';
  /** COCO class names that count. Anything else in the picture does not matter. */
  readonly labels: readonly string[];
  readonly minConfidence: number;
}

/** Most important first. The thresholds are those at which the small detectors agree with people on whole
 *  pictures; the list keeps the usual false hits (television, skateboard, kite) out. */
export const KINDS: readonly Kind[] = [
  { verdict: 'person', labels: ['person'], minConfidence: 0.4 },
  {
    verdict: 'vehicle',
    labels: ['car', 'truck', 'bus', 'motorcycle', 'bicycle'],
    minConfidence: 0.45,
  },
  {
    verdict: 'animal',
    labels: ['dog', 'cat', 'horse', 'cow', 'sheep', 'bear', 'bird'],
    minConfidence: 0.5,
  },
];

/** Of a sentence for a person, in characters. */
const REASON_MAX = 1_000;

/** One frame is enough at this confidence; below it a second frame must show the same. */
const SURE = 0.6;
/** A person that the second detector denies counts when the first saw it so surely, in so many frames, and it got so far
 *  (in its own sizes): what hangs or stands there does not walk. */
const ONE_OF_TWO = { confidence: 0.7, frames: 2, travelled: 1 };
/** Fewer analysed frames than these do not show that something never moved. */
const FRAMES_FOR_SCENERY = 5;

/** A clip of which less was seen is never `nothing`: what is missing may be what matters. Shares of its length, of its
 *  pictures, and of the analysed frames that are one colour all over; and the longest stretch that nobody saw. */
const SEEN_SHARE = 0.9;
const BLANK_SHARE = 0.1;
const GAP_MS = 2_000;

/** Judges a worker's answer. A person outranks a vehicle outranks an animal outranks nothing; what cannot be judged
 *  is `undecided`, never `nothing`. */
export function decideVerdict(
  result: Pick<ProcessingResult, 'status' | 'details' | 'stop_timestamp'>,
): Judgement {
  const analysedUtc = result.stop_timestamp;
  const { details } = result;
  if (result.status === 'FAILED') {
    const problem = 'error' in details ? details.error : NO_ERROR_GIVEN;
    return undecided('failed', `The clip could not be analysed: ${problem.message}`, problem, analysedUtc);
  }
  if (!('detections' in details)) return undecided('escalated', NO_DETAILS.message, NO_DETAILS, analysedUtc);
  if (details.frames.analysed === 0) return undecided('escalated', NO_FRAMES.message, NO_FRAMES, analysedUtc);
  const judgement = judge(details);
  const unseen = whatWasNotSeen(details);
  if (!unseen) return { ...judgement, analysedUtc };
  if (judgement.verdict === 'person')
    return { ...judgement, reason: `${judgement.reason} ${unseen}`, analysedUtc };
  return { ...judgement, ...partlySeen(judgement, unseen), analysedUtc };
}

/** One sentence, when too little of a clip was seen to call it anything. Workers that do not measure it are believed. */
function whatWasNotSeen({ coverage, frames }: AnalysisDetails): string | undefined {
  if (!coverage) return undefined;
  const { expected_ms, seen_ms, longest_gap_ms, pictures, pictures_seen, blank_frames } = coverage;
  if (blank_frames > frames.analysed * BLANK_SHARE)
    return `${blank_frames} of ${frames.analysed} pictures show one single colour and nothing else.`;
  if (pictures_seen === 0) return 'Not one picture of the clip could be decoded without an error.';
  if (seen_ms < expected_ms * SEEN_SHARE)
    return `Only ${seconds(seen_ms)} of the clip's ${seconds(expected_ms)} could be seen.`;
  if (longest_gap_ms > GAP_MS)
    return `The clip has a gap of ${seconds(longest_gap_ms)} that could not be seen.`;
  if (pictures_seen < pictures * SEEN_SHARE)
    return `Only ${pictures_seen} of the clip's ${pictures} pictures could be decoded without an error.`;
  return undefined;
}

const partlySeen = ({ labels }: Judgement, unseen: string) => ({
  verdict: 'undecided' as const,
  decision: 'escalated' as const,
  confidence: 0,
  reason: `${unseen} ${labels.length > 0 ? `In the rest: ${labels.join(', ')}; a` : 'A'} person has to look.`,
  problem: { code: 'partly-seen', message: unseen },
});

/** How much a verdict says: what was seen outranks that nothing was, and anything outranks not knowing. */
export const worthOfVerdict = (verdict: Verdict['verdict']): number =>
  ['undecided', 'nothing', 'animal', 'vehicle', 'person'].indexOf(verdict);
/** How much an answer says, by the same measure. */
export const worthOf = (result: ProcessingResult): number => worthOfVerdict(decideVerdict(result).verdict);

/** Nobody answered in time. */
export const noAnswer = (waitMs: number): Judgement =>
  undecided('escalated', `No answer within ${Math.round(waitMs / 1000)} s; a person has to look.`, {
    code: 'no-answer',
    message: `the worker did not answer within ${waitMs} ms`,
  });

/** The analysis itself broke. */
export const brokenAnalysis = (problem: Problem): Judgement =>
  undecided('failed', `The clip could not be analysed: ${problem.message}`, problem);

function judge(details: AnalysisDetails): Judgement {
  const analysed = details.frames.analysed;
  const seen = KINDS.flatMap((kind) =>
    details.detections.flatMap((one) => {
      const known = withoutDenied(kind, one);
      return known && counts(kind, known, analysed) ? [{ kind, one: known }] : [];
    }),
  );
  const denied = details.detections.some((one) =>
    KINDS.some((kind) => counts(kind, one, analysed) && !withoutDenied(kind, one)),
  );
  const scenery = seen.filter(({ kind, one }) => isScenery(kind, one, analysed));
  const fresh = seen.filter((entry) => !scenery.includes(entry));
  const labels = seen
    .map(({ one }) => one)
    .toSorted((a, b) => b.confidence_max - a.confidence_max)
    .map(({ label }) => label);
  const frame = details.best_frame
    ? {
        frame: {
          ...details.best_frame,
          boxes: seen
            .flatMap(({ one }) => one.boxes.map((box) => ({ label: one.label, box })))
            .slice(0, BOXES_MAX),
        },
      }
    : {};
  const verdict = KINDS.map((kind) => kind.verdict).find((name) =>
    fresh.some((f) => f.kind.verdict === name),
  );
  if (!verdict)
    return {
      ...nothing(
        scenery.map(({ one }) => one.label),
        denied,
      ),
      labels,
      ...frame,
    };
  const behind = fresh.filter(({ kind }) => kind.verdict === verdict).map(({ one }) => one);
  const best = behind.toSorted((a, b) => b.confidence_max - a.confidence_max)[0] as Detection;
  return {
    verdict,
    decision: verdict === 'person' ? 'notified' : 'recorded',
    labels,
    confidence: best.confidence_max,
    reason: [
      `${best.label} seen in ${best.frames} of ${analysed} frames, from ${seconds(best.first_ms)} to ${seconds(best.last_ms)}, confidence ${best.confidence_max.toFixed(2)}.`,
      ...opinionOn(best),
    ].join(' '),
    ...frame,
  };
}

function counts({ labels, minConfidence }: Kind, one: Detection, analysed: number): boolean {
  if (!labels.includes(one.label) || one.confidence_max < minConfidence) return false;
  return one.confidence_max >= SURE || one.frames >= Math.min(2, analysed);
}

/** The detection without the tracks that the second detector denies: those in which it saw nobody in most of the pictures.
 *  Undefined when nothing is left. */
function withoutDenied(kind: Kind, one: Detection): Detection | undefined {
  const { tracks } = one;
  if (kind.verdict !== 'person' || !tracks || tracks.length === 0) return one;
  if (!tracks.some(({ second_opinion }) => second_opinion)) return one;
  // The surest are asked about first: of the others nobody is surer, unless these are agreed on.
  const others = tracks.some(isAgreedOn);
  const left = tracks.filter(
    (track) => isAgreedOn(track) || walks(track) || (others && !track.second_opinion),
  );
  if (left.length === 0) return undefined;
  if (left.length === tracks.length) return one;
  return {
    ...one,
    tracks: left,
    confidence_max: Math.max(...left.map(({ confidence_max }) => confidence_max)),
    first_ms: Math.min(...left.map(({ first_ms }) => first_ms)),
    last_ms: Math.max(...left.map(({ last_ms }) => last_ms)),
    frames: Math.max(...left.map(({ frames }) => frames)),
  };
}

const isAgreedOn = ({ second_opinion: told }: Track): boolean =>
  told !== undefined && told.agreed > 0 && told.agreed * 2 >= told.asked;

const walks = ({ confidence_max, frames, travelled }: Track): boolean =>
  confidence_max >= ONE_OF_TWO.confidence && frames >= ONE_OF_TWO.frames && travelled >= ONE_OF_TWO.travelled;

/** For people: whether the two detectors agree. */
function opinionOn({ tracks = [] }: Detection): string[] {
  const agreed = tracks.find(isAgreedOn)?.second_opinion;
  if (agreed) return [`A second detector saw the same in ${agreed.agreed} of ${agreed.asked} pictures.`];
  return tracks.some(({ second_opinion }) => second_opinion)
    ? ['Seen by one of two detectors, and walking.']
    : [];
}

/** Vehicles that stood in one place from the beginning to the end were there before the event: the pre-roll shows the
 *  place as it was. An older worker does not tell; of its answers one single vehicle that every frame shows counts as
 *  such. A person or an animal is never taken for scenery, nor is anything seen in few frames. */
const isScenery = (kind: Kind, one: Detection, analysed: number): boolean =>
  kind.verdict === 'vehicle' &&
  analysed >= FRAMES_FOR_SCENERY &&
  (one.tracks
    ? one.tracks.length > 0 && one.tracks.every(({ stood }) => stood)
    : one.count_max === 1 && one.frames === analysed);

const nothing = (standing: readonly string[], denied: boolean) => ({
  verdict: 'nothing' as const,
  decision: 'marked-safe' as const,
  confidence: 0,
  reason: [
    standing.length === 0
      ? 'Nothing that matters was seen.'
      : `Nothing new was seen; ${standing.join(', ')} stood there from the first frame to the last.`,
    ...(denied ? ['What one detector took for a person, a second one did not.'] : []),
  ].join(' '),
});

const undecided = (
  decision: 'failed' | 'escalated',
  reason: string,
  problem: Problem,
  analysedUtc?: string,
): Judgement => ({
  verdict: 'undecided',
  decision,
  labels: [],
  confidence: 0,
  // A worker's message may be as long as it likes.
  reason: cleanText(reason).slice(0, REASON_MAX),
  problem,
  ...(analysedUtc === undefined ? {} : { analysedUtc }),
});

const NO_ERROR_GIVEN: Problem = { code: 'failed', message: 'the worker gave no reason' };
const NO_DETAILS: Problem = {
  code: 'no-details',
  message: 'The worker did not say what it saw; a person has to look.',
};
const NO_FRAMES: Problem = {
  code: 'no-frames',
  message: 'The worker analysed not one frame; a person has to look.',
};

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
