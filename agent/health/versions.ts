import { readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import type { ReportedVersions } from '@dachawatch/contracts';

const PACKAGE = new URL('../package.json', import.meta.url);

/** What runs on what. Some small files, once.
 *  @param root `/`; another one in tests */
export function readVersions(root: string): ReportedVersions {
  const text = (path: string) => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return '';
    }
  };
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  return {
    agent: version,
    node: process.versions.node,
    kernel: release(),
    os: /^PRETTY_NAME="?([^"\n]{1,100})"?$/m.exec(text('etc/os-release'))?.[1] ?? process.platform,
    // The device tree ends its strings with a zero byte; a PC has none.
    hardware: text('proc/device-tree/model').replaceAll('\0', '').trim().slice(0, 100) || arch(),
  };
}
