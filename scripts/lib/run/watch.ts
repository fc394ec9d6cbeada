/** Follows the agent that was started, and tells what happens. */
import { join } from 'node:path';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { sleepUnlessAborted } from '../../../agent/kernel/waiting/sleep.ts';
import { cameraSentence, createApplianceStory } from './appliance-story.ts';
import { askClips, askStatus, type ClipView, clipSummary, createStory } from './follow-agent.ts';
import type { PageWords, StatusView } from './page-words.ts';

const LOOK_EVERY_MS = 500;

export interface WatchOptions {
  readonly dataDir: string;
  readonly untilVerdict: boolean;
  readonly timeoutS: number;
  readonly json: boolean;
  /** Wall time, Unix milliseconds, at which this run began. */
  readonly sinceMs: number;
  readonly words: PageWords;
  readonly tell: (sentence: string) => void;
}

/** Tells what happens until the signal comes, or until the first verdict on a clip of this run with `untilVerdict`.
 *  @returns exit code */
export async function watch(dashboard: string, options: WatchOptions, signal: AbortSignal): Promise<number> {
  const { dataDir, untilVerdict, timeoutS, json, sinceMs, words, tell } = options;
  const story = createStory(tell, sinceMs);
  const appliance = createApplianceStory(tell, words);
  const endAt = performance.now() + timeoutS * 1_000;
  let last: StatusView | undefined;

  do {
    const [status, clips] = await Promise.all([askStatus(dashboard), askClips(dashboard)]);
    if (signal.aborted) return 0;
    if (status) appliance.look((last = status));
    const [judged] = clips ? story.look(clips) : [];
    if (judged && untilVerdict) {
      const found = clipSummary(join(dataDir, 'agent'), judged.clipId);
      process.stdout.write(`${JSON.stringify(found, null, json ? 0 : 2)}\n`);
      return 0;
    }
    if (untilVerdict && performance.now() > endAt)
      throw new Error(`no verdict within ${timeoutS} s: ${whyNoVerdict(story.unjudged(), last, words)}`);
  } while (await sleepUnlessAborted(systemClock, LOOK_EVERY_MS, signal));
  return 0;
}

/** The step that the oldest clip of this run without a verdict has not passed; or why there is no clip. */
function whyNoVerdict(clip: ClipView | undefined, status: StatusView | undefined, words: PageWords): string {
  if (clip) return whatHolds(clip);
  if (!status) return 'the agent does not answer; see log/agent.log';
  const cameras = status.cameras
    .filter(({ state }) => state !== 'live')
    .map((camera) => cameraSentence(camera) ?? `${camera.title} has given no picture so far`);
  const conditions = status.conditions.map((one) => `${words.condition(one, status)} ${one.detail}`);
  const full = [status.house, ...status.further]
    .filter(({ state }) => state === 'disk-full')
    .map((matter) => words.house(status, matter));
  const reasons = [...cameras, ...full, ...conditions];
  return reasons.length > 0 ? reasons.join('; ') : 'nothing moved before the camera';
}

function whatHolds({ state, uploadedUtc, reason }: ClipView): string {
  if (state === 'recording') return 'the clip is still being recorded';
  if (state === 'lost') return `the clip is lost: ${reason ?? 'no reason was kept'}`;
  if (uploadedUtc === null)
    return `the clip is ${state} and not uploaded: ${reason ?? 'no upload has failed so far'}`;
  return 'the clip is uploaded and the cloud has not judged it; see log/functions-host.log';
}
