/** First and longest wait before what could not be stored (a full disk) is tried again. */
const TROUBLE_MS = { first: 500, max: 60_000 };

export type Trouble<Key> = ReturnType<typeof createTrouble<Key>>;

/** What could not be run or stored, and when each of it is tried again: later and later. */
export function createTrouble<Key>(nowMs: () => number) {
  const troubled = new Map<Key, { readonly againInMs: number; readonly untilMs: number }>();
  return {
    /** @returns how long it has to wait */
    failed(key: Key): number {
      const againInMs = Math.min((troubled.get(key)?.againInMs ?? TROUBLE_MS.first / 2) * 2, TROUBLE_MS.max);
      troubled.set(key, { againInMs, untilMs: nowMs() + againInMs });
      return againInMs;
    },
    over: (key: Key): void => void troubled.delete(key),
    keys: (): readonly Key[] => [...troubled.keys()],
    /** What is not to be tried yet. */
    waiting: (): readonly Key[] =>
      [...troubled].filter(([, { untilMs }]) => untilMs > nowMs()).map(([key]) => key),
    /** When each of it may be tried, Unix milliseconds. */
    dueMs: (): readonly number[] => [...troubled.values()].map(({ untilMs }) => untilMs),
  };
}
