export type ExternalEvents = ReturnType<typeof createExternalEvents>;

/** Events from outside, by name: those that nobody has waited for yet, and those who wait. */
export function createExternalEvents() {
  const waiters = new Map<string, (() => void)[]>();
  const buffered = new Map<string, number>();

  return {
    /** `then` runs at once when such an event came before. */
    waitFor(name: string, then: () => void): void {
      const early = buffered.get(name) ?? 0;
      if (early > 0) {
        buffered.set(name, early - 1);
        then();
      } else waiters.set(name, [...(waiters.get(name) ?? []), then]);
    },
    raise(name: string): void {
      // Of several waiters for one name the last comes first, as in the JavaScript library.
      const waiter = waiters.get(name)?.pop();
      if (waiter) waiter();
      else buffered.set(name, (buffered.get(name) ?? 0) + 1);
    },
  };
}
