import type { Clock } from '../clock.ts';

/** Sleeps, or ends early when it is aborted. Whatever else ends the sleep is thrown.
 *  @returns false when it was aborted before the time was over */
export async function sleepUnlessAborted(
  clock: Pick<Clock, 'sleep'>,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
