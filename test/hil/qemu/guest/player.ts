/** What the battery and the mains do: an outage that ends in time, then one that does not. Goes on until the machine is
 *  switched off. Nothing is timed here but the battery: each step waits for what the power room says. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createOtherEnd } from './chips.ts';
import { say } from './say.ts';

const STATUS = '/run/dachawatch/hil-status';
const STEP_MS = 250;
/** A pack of three cells falls faster here than any in a house, and slower than the filter takes for a fault. */
const VOLTS_PER_STEP = 0.06;
/** Default thresholds: critical below 9.6 V; below 9.3 V there is no time to wait for mains. */
const CRITICAL_VOLTS = 9.45;
const EMPTY_VOLTS = 9.1;
const MAINS = 22;
const BUTTON = 27;

const otherEnd = createOtherEnd();
let volts = 12.3;

/** Lets the pack move towards `goal` at `amps` until the power room says so. */
async function play(
  mains: boolean,
  goal: number,
  amps: number,
  until: (status: Status) => boolean,
): Promise<void> {
  // hardware/wiring.md: the optocoupler pulls the line down while mains is there.
  otherEnd.pull(MAINS, mains ? 'down' : 'up');
  do {
    const way = Math.sign(goal - volts);
    volts += way * Math.min(VOLTS_PER_STEP, Math.abs(goal - volts));
    // A current that flows is never quite the same.
    otherEnd.battery(volts, amps + Math.random() / 50);
    await delay(STEP_MS);
  } while (!until(read()));
}

interface Status {
  readonly state: string;
  readonly shutdown: string | null;
}

function read(): Status {
  try {
    return JSON.parse(readFileSync(STATUS, 'utf8')) as Status;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { state: 'not there yet', shutdown: null };
  }
}

otherEnd.pull(BUTTON, 'up');
await play(true, 12.3, 0.4, ({ state }) => state === 'on-mains');
say('player.outage', { number: 1 });
await play(false, CRITICAL_VOLTS, -0.9, ({ shutdown }) => shutdown === 'waiting');
say('player.mains-back');
await play(true, 11.4, 1.2, ({ state, shutdown }) => state === 'on-mains' && shutdown === null);
say('player.outage', { number: 2 });
await play(false, EMPTY_VOLTS, -0.9, () => false);
