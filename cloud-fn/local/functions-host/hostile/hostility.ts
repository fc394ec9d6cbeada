import { createHash } from 'node:crypto';

/** What a hostile host does to an app, each time it is asked: everything that the real one has been seen to do, only much
 *  more often. Times in milliseconds. `what` names the thing it is done to. */
export interface Hostility {
  /** When a timer fires that is due at `dueMs`: up to a second early, or minutes late. */
  firesMs(what: string, dueMs: number): number;
  /** Whether an event for an instance that has not begun is dropped, although it was accepted. */
  dropsEvent(what: string): boolean;
  /** How long the status of an instance still shows what was before. */
  lagMs(what: string): number;
  /** Whether a message, an event, an activity or an episode is delivered a second time. */
  deliversTwice(what: string): boolean;
  /** How long work that is in flight stays hidden; mostly 0. */
  hiddenMs(what: string): number;
  /** How far into this call the app's process dies, from 0 to 1; undefined: it does not. `often`: 1, or less for what is
   *  called all the time. */
  killsApp(what: string, often: number): number | undefined;
}

/** How often each thing happens, of a thousand. */
interface Temper {
  readonly timers: number;
  readonly events: number;
  readonly statuses: number;
  readonly twice: number;
  readonly hidden: number;
  readonly kills: number;
}

/** After so many deaths of the app it is left alone: whoever is killed for ever cannot end anything. */
export const KILLS_MAX = 12;

const EARLY_MS = 1_000;
const TIMER_LATE_MS = 10 * 60_000;
const STATUS_LAG_MS = 5_000;
const HIDDEN_MS = { least: 60_000, most: 10 * 60_000 };

/** A hostile host by its seed. What is done to a thing depends on the seed, the thing, and how often it was its turn: not on
 *  what happens beside it, so that a seed does the same again. Which of its means a host likes best depends on the seed
 *  too. */
export function createHostility(seed: number): Hostility {
  const times = new Map<string, number>();
  /** From 0 to 999. */
  const draw = (means: string, what: string): number => {
    const key = `${means} ${what}`;
    const nth = (times.get(key) ?? 0) + 1;
    times.set(key, nth);
    return drawn(`${seed} ${key} ${nth}`) % 1_000;
  };
  const between = (means: string, what: string, least: number, most: number) =>
    least + Math.floor(((most - least) * draw(means, what)) / 1_000);
  const temper = temperOf(seed);
  let kills = 0;

  return {
    firesMs: (what, dueMs) => {
      if (draw('timer', what) >= temper.timers) return dueMs;
      return draw('early', what) < 600
        ? dueMs - between('early by', what, 0, EARLY_MS)
        : dueMs + between('late by', what, 0, TIMER_LATE_MS);
    },
    dropsEvent: (what) => draw('event', what) < temper.events,
    lagMs: (what) => (draw('status', what) < temper.statuses ? between('lag', what, 0, STATUS_LAG_MS) : 0),
    deliversTwice: (what) => draw('twice', what) < temper.twice,
    hiddenMs: (what) =>
      draw('hidden', what) < temper.hidden ? between('hidden for', what, HIDDEN_MS.least, HIDDEN_MS.most) : 0,
    killsApp: (what, often) => {
      const isKilled = kills < KILLS_MAX && draw('kill', what) < temper.kills * often;
      if (!isKilled) return undefined;
      kills += 1;
      return draw('kill at', what) / 1_000;
    },
  };
}

function temperOf(seed: number): Temper {
  const degree = (means: string, most: number) => Math.round(((drawn(`${seed} ${means}`) % 4) * most) / 3);
  return {
    timers: degree('timers', 900),
    events: degree('events', 900),
    statuses: degree('statuses', 900),
    twice: degree('twice', 400),
    hidden: degree('hidden', 60),
    kills: degree('kills', 90),
  };
}

const drawn = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE();
