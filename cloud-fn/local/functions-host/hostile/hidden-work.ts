import type { Hostility } from './hostility.ts';

export type HiddenWork = ReturnType<typeof createHiddenWork>;

/** Work that somebody has taken and not ended: nobody sees it for a while. */
export function createHiddenWork(hostility: Pick<Hostility, 'hiddenMs'>, nowMs: () => number) {
  const untilMs = new Map<string, number>();
  return {
    /** @param key of one piece of work, and of no other
     *  @param what it is, for the draw */
    isHidden: (key: string, what: string): boolean => {
      let until = untilMs.get(key);
      if (until === undefined) {
        const hiddenMs = hostility.hiddenMs(what);
        until = hiddenMs === 0 ? 0 : nowMs() + hiddenMs;
        untilMs.set(key, until);
      }
      return until > nowMs();
    },
    /** When the next piece is seen again; undefined: none is hidden. */
    nextMs: (): number | undefined => {
      const coming = [...untilMs.values()].filter((until) => until > nowMs());
      return coming.length === 0 ? undefined : Math.min(...coming);
    },
  };
}
