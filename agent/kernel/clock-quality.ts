import { existsSync } from 'node:fs';

/** systemd-timesyncd makes this file once the clock has been set from the network, in this boot. */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';

/** Whether the wall clock is known to be right. A Pi without a battery boots with the time of its last stop, so
 *  what nobody has confirmed counts as unsynchronised. */
export const clockQuality = (): 'synchronised' | 'unsynchronised' =>
  existsSync(SYNCHRONISED) ? 'synchronised' : 'unsynchronised';
