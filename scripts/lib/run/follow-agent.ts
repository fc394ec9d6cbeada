/** Follows the agent through its own page's API and tells what happens, for people and for `--json`. */
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createClipRows } from '../../../agent/ledger/clips/clip-rows.ts';
import { openToLook } from '../../../agent/ledger/database/database.ts';
import type { StatusView } from './page-words.ts';

/** A clip as `/api/clips` gives it; only what is told here. */
export interface ClipView {
  readonly clipId: string;
  readonly cameraId: string;
  readonly state: string;
  readonly triggeredUtc: string;
  readonly sealedUtc: string | null;
  readonly uploadedUtc: string | null;
  readonly durationMs: number | null;
  readonly preRollMs: number | null;
  readonly bytes: number | null;
  readonly reason: string | null;
  readonly verdict: {
    readonly verdict: string;
    readonly decision: string;
    readonly reason: string | null;
  } | null;
}

const ASK_DEADLINE_MS = 5_000;

/** What the agent's page says at `path`.
 *  @returns undefined while it does not answer (it may be restarting) */
async function ask<T>(dashboard: string, path: string): Promise<T | undefined> {
  try {
    const answer = await fetch(`${dashboard}${path}`, { signal: AbortSignal.timeout(ASK_DEADLINE_MS) });
    return answer.ok ? ((await answer.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}

export const askStatus = (dashboard: string) => ask<StatusView>(dashboard, '/api/status');

export const askClips = async (dashboard: string): Promise<readonly ClipView[] | undefined> =>
  (await ask<{ clips: readonly ClipView[] }>(dashboard, '/api/clips?limit=50'))?.clips;

const seconds = (ms: number | null) => `${((ms ?? 0) / 1000).toFixed(1)} s`;

/** What is new in a clip since it was last seen, one sentence each. */
function news(before: ClipView | undefined, now: ClipView): string[] {
  const who = `clip ${now.clipId.slice(0, 10)}… of ${now.cameraId}`;
  const said: string[] = [];
  if (!before) said.push(`${who}: something moves, recording`);
  if (!before?.sealedUtc && now.sealedUtc)
    said.push(
      `${who}: sealed, ${seconds(now.durationMs)} (${seconds(now.preRollMs)} before the trigger), ${((now.bytes ?? 0) / 1e6).toFixed(1)} MB`,
    );
  if (!before?.uploadedUtc && now.uploadedUtc) said.push(`${who}: uploaded`);
  if (before?.verdict?.verdict !== now.verdict?.verdict && now.verdict)
    said.push(
      `${who}: verdict ${now.verdict.verdict.toUpperCase()} (${now.verdict.decision}): ${now.verdict.reason ?? ''}`,
    );
  if (before?.state !== now.state && (now.state === 'lost' || now.state === 'parked'))
    said.push(`${who}: ${now.state}, because ${now.reason ?? 'no reason was kept'}`);
  return said;
}

/** Compares each look with the one before. Clips of earlier runs are known, not news: what still becomes of them is
 *  told, but they are nobody's answer.
 *  @param sinceMs wall time, Unix milliseconds, at which this run began */
export function createStory(tell: (sentence: string) => void, sinceMs: number) {
  const seen = new Map<string, ClipView>();
  const isOurs = ({ triggeredUtc }: ClipView) => Date.parse(triggeredUtc) >= sinceMs;
  let begun = false;
  return {
    /** @returns clips of this run that got their verdict since the last look */
    look(clips: readonly ClipView[]): ClipView[] {
      const judged: ClipView[] = [];
      for (const clip of clips.toReversed()) {
        const before = seen.get(clip.clipId);
        seen.set(clip.clipId, clip);
        if (!before && !begun && !isOurs(clip)) continue;
        for (const sentence of news(before, clip)) tell(sentence);
        if (clip.verdict && !before?.verdict && isOurs(clip)) judged.push(clip);
      }
      begun = true;
      return judged;
    },
    /** The clip of this run that has waited longest for its verdict. */
    unjudged: (): ClipView | undefined =>
      [...seen.values()]
        .filter((clip) => isOurs(clip) && !clip.verdict)
        .toSorted((a, b) => (a.clipId < b.clipId ? -1 : 1))[0],
  };
}

/** The object that `--json` prints, read from the ledger in `dir` beside its owner: the page keeps paths and
 *  addresses to itself. */
export function clipSummary(dir: string, clipId: string) {
  const db = openToLook(dir);
  try {
    const rows = createClipRows({ db, dir, clock: systemClock });
    const clip = rows.toClip(rows.require(clipId));
    const utc = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
    return {
      clipId,
      file: clip.file,
      durationMs: clip.durationMs,
      preRollMs: clip.preRollMs,
      bytes: clip.bytes,
      blobUrl: clip.blobUrl,
      instanceId: clip.verdict?.instance_id,
      verdict: clip.verdict?.verdict,
      decision: clip.verdict?.decision,
      labels: clip.verdict?.labels,
      confidence: clip.verdict?.confidence,
      bestFrame: clip.verdict?.best_frame?.blobName ?? null,
      timeline: {
        triggered: utc(clip.triggeredMs),
        sealed: utc(clip.sealedMs),
        uploaded: utc(clip.uploadedMs),
        orchestrated: clip.verdict?.orchestrated_utc ?? null,
        analysed: clip.verdict?.analysed_utc ?? null,
        judged: utc(clip.judgedMs),
      },
    };
  } finally {
    db.close();
  }
}
