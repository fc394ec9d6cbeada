/** The power room of the agent, alone, as the agent's user in the sandbox of the agent's unit: real bus, real lines,
 *  real way to switch off. What the other rooms would do is said instead. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PowerConfig } from '@dachawatch/contracts';
import { systemClock as clock } from '../../../../agent/kernel/clock.ts';
import { requestPowerOff } from '../../../../agent/power-off.ts';
import { createPower } from '../../../../agent/power/power.ts';
import { createWires } from '../../../../agent/power/gpio/wires.ts';
import { asFields, say, sayingLog as log } from './say.ts';

const runtimeDir = process.env['RUNTIME_DIRECTORY'];
if (!runtimeDir) throw new Error('this program is started by dachawatch-agent.service');

function attempt(what: string, action: () => unknown): void {
  try {
    action();
    say('sandbox', { what, outcome: 'done' });
  } catch (error) {
    say('sandbox', { what, outcome: (error as NodeJS.ErrnoException).code });
  }
}
const open = (path: string, flags: string) => () => closeSync(openSync(path, flags));
say('who', { uid: process.getuid?.() });
attempt('the I2C bus', open('/dev/i2c-1', 'r+'));
attempt('a device that is not allowed', open('/dev/hil-forbidden', 'r'));
attempt('the lines', open('/sys/class/gpio/export', 'w'));
attempt('other files of the kernel', open('/proc/sys/kernel/sysrq', 'w'));

// More than the unit may have, all at once.
const { signal, status } = spawnSync('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=300M', 'count=1']);
say('memory', { signal, status });

const config = JSON.parse(readFileSync('/etc/dachawatch/power.json', 'utf8')) as PowerConfig;
if (!config.gpio) throw new Error('the lines are part of this test');
const wires = createWires({ config: config.gpio, clock, log });
const power = createPower({
  config,
  actions: {
    seal: async () => say('sealed'),
    tell: async () => say('told'),
    powerOff: () => {
      say('power-off-requested');
      requestPowerOff(runtimeDir, log);
    },
    resume: () => say('resumed'),
  },
  onChange: ({ state, shutdown }) => {
    say('power', { state, shutdown });
    // The player in this guest waits for it.
    const file = join(runtimeDir, 'hil-status');
    writeFileSync(`${file}.new`, JSON.stringify({ state, shutdown }));
    renameSync(`${file}.new`, file);
  },
  wires,
  clock,
  log,
});

process.once('SIGTERM', () => {
  power
    .stop()
    .then(() => {
      wires.stop();
      say('stopped');
    })
    .catch((error: unknown) => say('error', asFields(error)));
});
await wires.start();
await power.start();
