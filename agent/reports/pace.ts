/** How often and how much. Tests count with them; nobody changes them at run time. */
export const REPORTS = {
  lookMs: 1_000,
  /** A state that does not hold so long is not told. */
  settleMs: 10_000,
  /** A condition is told sooner: it has no trembling in it. */
  conditionSettleMs: 2_000,
  /** Most events about one camera, the link or storage in any hour. */
  perHour: 12,
  /** Power is told at once; switching off and a critical battery always. */
  powerPerHour: 60,
  storageMs: 10_000,
  /** Changes that come together make one report. */
  reportSoonMs: 2_000,
  reportMs: 15 * 60_000,
  firstHeartbeatMs: 60_000,
  heartbeatMs: 15 * 60_000,
  /** After an event could not be stored. */
  pauseMs: 30_000,
} as const;
