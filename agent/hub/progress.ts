/** Lets somebody wait for the next time that something happens. */
export interface Progress {
  happened(): void;
  /** Resolves when something has happened after the call, or the signal is aborted. */
  next(signal: AbortSignal): Promise<void>;
}

export function createProgress(): Progress {
  const waiting = new Set<() => void>();
  return {
    happened: () => {
      const told = [...waiting];
      waiting.clear();
      for (const tell of told) tell();
    },
    next: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const tell = () => {
          signal.removeEventListener('abort', tell);
          waiting.delete(tell);
          resolve();
        };
        signal.addEventListener('abort', tell, { once: true });
        waiting.add(tell);
      }),
  };
}
