/** Whether an appliance's page is open to others than its own machine, and has what that takes. */
import { existsSync, readFileSync } from 'node:fs';
import { isJson } from '@dachawatch/contracts';
import { certificateFile, keptCertificate } from '../../../agent/dashboard/access/certificate.ts';
import { isLoopback } from '../../../agent/dashboard/access/host-guard.ts';
import { readPassword } from '../../../agent/dashboard/access/password.ts';
import { type Check, notice, ok } from './check.ts';

const NAME = 'page, to others';

/** The settings of an appliance, and the folder of its data. */
export interface Appliance {
  readonly config: string;
  readonly dataDir: string;
}

/** Where `scripts/install` puts them. */
export const INSTALLED: Appliance = {
  config: '/etc/dachawatch/appliance.json',
  dataDir: '/var/lib/dachawatch',
};

/** @returns undefined when there is no such appliance, or its page is for its own machine alone */
export function openedPage({ config, dataDir }: Appliance): Check | undefined {
  const host = hostIn(config);
  if (host === undefined || isLoopback(host)) return undefined;
  const opened = `dashboard.host is ${host}`;
  const make =
    dataDir === INSTALLED.dataDir
      ? 'sudo /usr/lib/dachawatch/current/systemd/page-password'
      : `node agent/page-password.ts --data ${dataDir} --config ${config}`;
  try {
    if (!readPassword(dataDir))
      return notice(
        NAME,
        `${opened}, but there is no password: it stays on 127.0.0.1`,
        `${make}; then restart the agent`,
      );
    const certificate = keptCertificate(dataDir);
    return certificate
      ? ok(NAME, `${opened}; password and certificate are there, SHA-256 ${certificate.fingerprint}`)
      : notice(
          NAME,
          existsSync(certificateFile(dataDir))
            ? `${opened}; the file of the certificate is damaged`
            : `${opened}; there is a password, and no certificate yet`,
          'restart the agent: it makes one, and its log has the SHA-256',
        );
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM'
      ? notice(NAME, `${opened}; you may not read its password and certificate`, 'sudo scripts/doctor')
      : notice(NAME, `${opened}, but it stays on 127.0.0.1: ${message}`, make);
  }
}

function hostIn(config: string): string | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(config, 'utf8'));
    const dashboard = isJson(found) ? found['dashboard'] : undefined;
    const host = isJson(dashboard) ? dashboard['host'] : undefined;
    return typeof host === 'string' ? host : undefined;
  } catch {
    return undefined; // It is not there or cannot be read: other lines say so.
  }
}
