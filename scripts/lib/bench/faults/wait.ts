/** Asks again until there is an answer, or the time is over. */
export async function within<T>(
  ms: number,
  look: () => Promise<T | undefined> | T | undefined,
  everyMs = 40,
): Promise<T | undefined> {
  for (const end = performance.now() + ms; ; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() >= end) return undefined;
    await pause(everyMs);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
