/** The power room while the chip of the UPS, or its whole bus, comes and goes. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { PowerConfig } from '@dachawatch/contracts';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import { createPower } from '../../../../agent/power/power.ts';
import { ADDRESS, createOtherEnd, within } from './chips.ts';
import { say, sayingLog } from './say.ts';

/** Between two attempts at a bus that is not there pass up to half a minute. */
const PATIENCE_MS = 60_000;
const otherEnd = createOtherEnd();

/** The guest has no GPIO lines. */
function withoutWires({ gpio: _gpio, ...others }: PowerConfig): PowerConfig {
  return others;
}

function powerRoom() {
  const config = JSON.parse(readFileSync('/etc/dachawatch/power.json', 'utf8')) as PowerConfig;
  const nothing = async () => undefined;
  return createPower({
    config: withoutWires(config),
    actions: {
      seal: nothing,
      tell: nothing,
      powerOff: () => say('absent.power-off'),
      resume: () => undefined,
    },
    onChange: ({ state }) => say('absent.state', { state }),
    clock: systemClock,
    log: sayingLog,
  });
}

function kernel(...command: [string, ...string[]]): void {
  const { status, stderr } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  say('kernel', { command: command.join(' '), status, stderr: stderr.trim() });
}

kernel('rmmod', 'i2c-stub');
const power = powerRoom();
await power.start();
await within(PATIENCE_MS, () => power.status().detail !== 'the UPS has not been read yet');
say('absent.at-first', power.status());
kernel('modprobe', 'i2c-stub', `chip_addr=${ADDRESS}`);
await within(PATIENCE_MS, () => {
  otherEnd.battery(11.8, 0.4 + Math.random() / 100);
  return power.status().state === 'on-mains';
});
say('absent.found', power.status());
// A bus in use stays, so it cannot go in the middle of a reading: that is for the simulator in hardware/.
kernel('rmmod', 'i2c-stub');
await power.stop();
kernel('rmmod', 'i2c-stub');
