/** The clips of a hostile seed: what the worker will say about each, and when. */
import {
  CONTAINER_CLIPS,
  DEFAULT_ANALYSIS_WAIT_MS,
  encodeQueueMessage,
  type ProcessingRequest,
  type Verdict,
} from '@dachawatch/contracts';
import type { Random } from '../faults/random.ts';
import { lookedAt, madeClipId, madeClipName } from '../made-clips.ts';

/** How long an orchestration waits for the worker. */
export const WAIT_MS = DEFAULT_ANALYSIS_WAIT_MS;
const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

type Saying = 'person' | 'car' | 'nothing' | 'failed' | 'other-clip' | 'unreadable';

interface Answer {
  readonly says: Saying;
  /** After the request. */
  readonly afterMs: number;
}

/** What can become of a clip at the worker. `verdict`: what it must end with. */
interface Story {
  readonly name: string;
  readonly verdict: Verdict['verdict'];
  readonly answers: (random: Random) => readonly Answer[];
}

const soon = (random: Random) => random.between(0, 30 * SECOND_MS);
const late = (random: Random) => random.between(6 * MINUTE_MS, 15 * MINUTE_MS);
const inAnyCase = (random: Random) => random.between(0, 8 * MINUTE_MS);

const STORIES: readonly Story[] = [
  { name: 'person', verdict: 'person', answers: (r) => [{ says: 'person', afterMs: inAnyCase(r) }] },
  { name: 'nothing', verdict: 'nothing', answers: (r) => [{ says: 'nothing', afterMs: inAnyCase(r) }] },
  { name: 'car', verdict: 'vehicle', answers: (r) => [{ says: 'car', afterMs: soon(r) }] },
  { name: 'person at once', verdict: 'person', answers: () => [{ says: 'person', afterMs: 0 }] },
  { name: 'failed', verdict: 'undecided', answers: (r) => [{ says: 'failed', afterMs: soon(r) }] },
  { name: 'no answer', verdict: 'undecided', answers: () => [] },
  { name: 'person, late', verdict: 'person', answers: (r) => [{ says: 'person', afterMs: late(r) }] },
  {
    name: 'failed, then person',
    verdict: 'person',
    answers: (r) => {
      const afterMs = soon(r);
      const later = afterMs + r.pick([0, 100, 300, 20 * SECOND_MS, 7 * MINUTE_MS]);
      return [
        { says: 'failed', afterMs },
        { says: 'person', afterMs: later },
      ];
    },
  },
  {
    name: 'nothing and person, both late',
    verdict: 'person',
    answers: (r) => [
      { says: 'nothing', afterMs: late(r) },
      { says: 'person', afterMs: late(r) },
    ],
  },
  {
    name: 'person twice',
    verdict: 'person',
    answers: (r) => [
      { says: 'person', afterMs: soon(r) },
      { says: 'person', afterMs: inAnyCase(r) },
    ],
  },
  {
    name: 'about another clip, then nothing',
    verdict: 'nothing',
    answers: (r) => [
      { says: 'other-clip', afterMs: soon(r) },
      { says: 'nothing', afterMs: inAnyCase(r) },
    ],
  },
  {
    name: 'unreadable, then car',
    verdict: 'vehicle',
    answers: (r) => [
      { says: 'unreadable', afterMs: soon(r) },
      { says: 'car', afterMs: inAnyCase(r) },
    ],
  },
];

/** How a clip comes to its first analysis. */
export type Beginning = 'event' | 'events' | 'by-hand' | 'first-version';
const BEGINNINGS: readonly Beginning[] = ['event', 'event', 'events', 'by-hand', 'first-version'];

/** What the webhook does when it is told of the clip the first times. */
export type Hearing = 'takes' | 'refuses' | 'hangs' | 'takes-without-answer';
const HEARINGS: readonly Hearing[] = ['takes', 'takes', 'takes', 'refuses', 'hangs', 'takes-without-answer'];

export interface HostileClip {
  readonly story: string;
  readonly beginning: Beginning;
  readonly hearing: Hearing;
  /** Since the beginning of the seed. */
  readonly atMs: number;
  /** In the container of the clips. */
  readonly name: string;
  readonly url: string;
  readonly clipId: string;
  readonly verdict: Verdict['verdict'];
  readonly answers: readonly Answer[];
}

export function clipsOf(random: Random, count: number): HostileClip[] {
  return Array.from({ length: count }, (_, number) => {
    const story = random.pick(STORIES);
    const name = madeClipName(number);
    return {
      story: story.name,
      beginning: random.pick(BEGINNINGS),
      hearing: random.pick(HEARINGS),
      atMs: random.between(0, MINUTE_MS),
      name,
      url: `https://storage.test/${CONTAINER_CLIPS}/${name}`,
      clipId: madeClipId(number),
      verdict: story.verdict,
      answers: story.answers(random),
    };
  });
}

/** The worker's message, as it lies in the queue.
 *  @param number of the answer, which tells it from others that say the same */
export function messageOf(request: ProcessingRequest, says: Saying, number: number): string {
  if (says === 'unreadable') return Buffer.from('{"instance_id": ').toString('base64');
  const blobName = says === 'other-clip' ? request.blobName.replace('gate', 'yard') : request.blobName;
  const labels = says === 'person' || says === 'car' ? [says] : [];
  const look = { by: 'hostile', labels, atUtc: '2026-11-30T12:00:00Z', cpuMs: number };
  const looked = lookedAt({ ...request, blobName }, look);
  if (says !== 'failed') return encodeQueueMessage(looked);
  const error = { code: 'clip.unreadable', message: 'The clip cannot be read.' };
  return encodeQueueMessage({ ...looked, status: 'FAILED', details: { error } });
}
