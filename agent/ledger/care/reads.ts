/** Reads of a damaged database. This is the place where damage is expected. */
export interface Reads {
  /** Does one read.
   *  @param what the read and nothing else; the same in every process that reads this database
   *  @returns undefined when the database does not answer it, or reading it has crashed a process before */
  attempt<T>(what: string, work: () => T): T | undefined;
}

/** @param deps.note told of each read before it is done: after a crash it is known which one it was. What it throws
 *    ends the reading
 *  @param deps.crashed reads that must not be tried again */
export function createReads({
  note = () => undefined,
  crashed = new Set(),
}: {
  readonly note?: (what: string) => void;
  readonly crashed?: ReadonlySet<string>;
} = {}): Reads {
  return {
    attempt(what, work) {
      if (crashed.has(what)) return undefined;
      note(what);
      try {
        return work();
      } catch {
        return undefined;
      }
    },
  };
}
