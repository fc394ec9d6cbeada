import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface PiTree {
  readonly root: string;
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
}

const FIRMWARE = 'sys/devices/platform/soc@107c000000/soc@107c000000:firmware';
export const THROTTLED_FILE = `${FIRMWARE}/get_throttled`;
export const ALARM_FILE = `${FIRMWARE}/hwmon/hwmon1/in0_lcrit_alarm`;
export const TEMPERATURE_FILE = 'sys/devices/virtual/thermal/thermal_zone0/temp';

/** The files of a Raspberry Pi 5 that the health room reads, as its documentation and drivers describe them.
 *  Written down, not copied from a machine. */
const FILES: Readonly<Record<string, string>> = {
  'sys/devices/virtual/thermal/thermal_zone0/type': 'cpu-thermal\n',
  [TEMPERATURE_FILE]: '54350\n',
  [`${FIRMWARE}/hwmon/hwmon1/name`]: 'rpi_volt\n',
  [ALARM_FILE]: '0\n',
  [THROTTLED_FILE]: '0\n',
  'sys/devices/platform/cooling_fan/hwmon/hwmon2/name': 'pwmfan\n',
  'proc/device-tree/model': 'Raspberry Pi 5 Model B Rev 1.0\0',
  'etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\n',
  'run/systemd/timesync/synchronized': '',
};

/** The class folders of the kernel hold links. */
const LINKS: Readonly<Record<string, string>> = {
  'sys/class/thermal/thermal_zone0': '../../devices/virtual/thermal/thermal_zone0',
  'sys/class/hwmon/hwmon1': `../../../${FIRMWARE}/hwmon/hwmon1`,
  'sys/class/hwmon/hwmon2': '../../devices/platform/cooling_fan/hwmon/hwmon2',
};

export const processStatus = (parent: number, kilobytes: number) =>
  `Name:\tnode\nState:\tS (sleeping)\nPid:\t1\nPPid:\t${parent}\nVmHWM:\t 999999 kB\nVmRSS:\t${String(kilobytes).padStart(8)} kB\nThreads:\t11\n`;

export async function createPiTree(): Promise<PiTree & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'pi-'));
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  for (const [path, text] of Object.entries(FILES)) await write(path, text);
  for (const [path, target] of Object.entries(LINKS)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await symlink(target, join(root, path));
  }
  return {
    root,
    write,
    remove: (path) => rm(join(root, path), { recursive: true }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}
