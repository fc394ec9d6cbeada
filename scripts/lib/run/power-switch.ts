/** The plug of the house on one machine: a simulated UPS, and an agent that really goes off when it asks to be
 *  powered off, and comes back with the mains, as a Pi does. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { sleepUnlessAborted } from '../../../agent/kernel/waiting/sleep.ts';
import { POWER_OFF_FILE } from '../../../agent/power-off.ts';
import type { Supervisor } from './supervisor.ts';

export interface PowerSwitchDeps {
  readonly supervisor: Pick<Supervisor, 'halt' | 'resume'>;
  /** RUNTIME_DIRECTORY of the agent. */
  readonly runtimeDir: string;
  /** Where the simulator takes commands. */
  readonly controlSocket: string;
  readonly tell: (sentence: string) => void;
}

const LOOK_EVERY_MS = 500;
const ANSWER_MS = 5_000;
/** After an agent that did not start. */
const AGAIN_MS = 5_000;

/** Watches until `signal` is aborted. */
export async function watchPowerSwitch(deps: PowerSwitchDeps, signal: AbortSignal): Promise<void> {
  const { supervisor, runtimeDir, controlSocket, tell } = deps;
  const request = join(runtimeDir, POWER_OFF_FILE);
  mkdirSync(runtimeDir, { recursive: true, mode: 0o700 });
  rmSync(request, { force: true });
  let isOff = false;
  while (!signal.aborted) {
    if (!isOff && existsSync(request)) {
      isOff = true;
      tell('the appliance asked to be powered off; it goes off now');
      await supervisor.halt('agent');
      rmSync(request, { force: true });
      tell('the appliance is off until mains returns');
    } else if (isOff && (await hasMains(controlSocket))) {
      try {
        await supervisor.resume('agent');
        isOff = false;
        tell('mains is back; the appliance has started again');
      } catch (error) {
        if (signal.aborted) return;
        tell(`the appliance does not start: ${(error as Error).message}`);
        await sleepUnlessAborted(systemClock, AGAIN_MS, signal);
      }
    }
    await sleepUnlessAborted(systemClock, LOOK_EVERY_MS, signal);
  }
}

/** What the simulator says; a simulator that does not answer has no mains to offer. */
function hasMains(controlSocket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(controlSocket, () => socket.write('state\n'));
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    let text = '';
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.on('error', () => end(false));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) end(/"mains":\s*true/.test(text));
    });
  });
}
