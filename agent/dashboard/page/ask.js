const DEADLINE_MS = 30_000;

/** Asks the appliance. An answer that does not come, or stops half-way, fails after its deadline: what waits for it
 *  goes on.
 *  @param {string} path
 *  @param {RequestInit & { deadlineMs?: number }} options
 *  @throws when nothing answers in time */
export function ask(path, { deadlineMs = DEADLINE_MS, ...options } = {}) {
  const giveUp = new AbortController();
  // Not taken back by the answer: its body has to come in time, too.
  setTimeout(() => giveUp.abort(), deadlineMs);
  return fetch(path, { ...options, signal: giveUp.signal });
}
