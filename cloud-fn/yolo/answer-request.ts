import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnalysisDetails, ProcessingRequest, ProcessingResult } from '@dachawatch/contracts';
import type { Analysis } from './analysis/analyse-clip.ts';
import { ClipProblem } from './clip-problem.ts';
import type { ClipStore } from './storage/clip-store.ts';
import { bestFramePath, clipPath } from './storage/clip-address.ts';

export interface AnswerDeps {
  readonly clips: ClipStore;
  /** @param expectedMs how long the clip is by its metadata */
  readonly analyse: (
    file: string,
    signal: AbortSignal,
    expectedMs: number | undefined,
  ) => Promise<Pick<Analysis, 'details' | 'bestFrame'>>;
  /** Folder for clips while they are analysed. */
  readonly tempDir: string;
  readonly nowMs: () => number;
}

/** Media tools explain themselves at length. */
const MESSAGE_MAX = 1_000;
const TEMP_PREFIX = 'dachawatch-yolo-';
/** No clip is worked on that long: what is older was left by a worker that was killed. */
const ABANDONED_MS = 3_600_000;

/** Downloads a clip, analyses it, stores its best frame and writes the answer.
 *  Doing it twice stores the same picture under the same name and gives the same detections.
 *  @throws ClipProblem, final or not; the signal's reason when it is aborted */
export function createAnswerer({ clips, analyse, tempDir, nowMs }: AnswerDeps) {
  async function answer(request: ProcessingRequest, signal: AbortSignal): Promise<ProcessingResult> {
    const startedMs = nowMs();
    const path = clipPath(request.blobUrl, clips.url);
    const dir = await mkdtemp(join(tempDir, TEMP_PREFIX));
    try {
      const file = join(dir, 'clip');
      const { durationMs } = await clips.download(path, file, signal);
      const { details, bestFrame } = await analyse(file, signal, durationMs);
      const found: AnalysisDetails = { ...details };
      if (bestFrame) {
        found.best_frame = { blobName: bestFramePath(path), at_ms: bestFrame.atMs };
        await clips.putFrame(found.best_frame.blobName, bestFrame.jpeg, signal);
      }
      return { ...head(request, startedMs), status: 'PROCESSED', details: found };
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  function refusal(request: ProcessingRequest, problem: ClipProblem): ProcessingResult {
    const error = { code: problem.code, message: problem.message.slice(0, MESSAGE_MAX) };
    return { ...head(request, nowMs()), status: 'FAILED', details: { error } };
  }

  function head(request: ProcessingRequest, startedMs: number) {
    return {
      instance_id: request.instance_id,
      blobUrl: withoutQuery(request.blobUrl),
      blobName: request.blobName,
      start_timestamp: new Date(startedMs).toISOString(),
      stop_timestamp: new Date(nowMs()).toISOString(),
    };
  }

  /** Removes what workers that were killed have left behind. */
  async function tidy(): Promise<void> {
    for (const name of await readdir(tempDir)) {
      if (!name.startsWith(TEMP_PREFIX)) continue;
      const dir = join(tempDir, name);
      // Somebody else may tidy at the same time.
      const age = await stat(dir).then(
        ({ mtimeMs }) => nowMs() - mtimeMs,
        () => 0,
      );
      if (age > ABANDONED_MS) await rm(dir, { recursive: true, force: true });
    }
  }

  return { answer, refusal, tidy };
}

/** A signature somebody put into the address must not be stored again. */
const withoutQuery = (address: string): string => address.replace(/[?#].*$/s, '');
