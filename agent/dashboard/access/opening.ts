import { hostname } from 'node:os';
import type { Clock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/classify.ts';
import type { Conditions } from '../../kernel/conditions.ts';
import { isBug } from '../../kernel/is-bug.ts';
import type { Log } from '../../kernel/log.ts';
import { isLoopback } from './host-guard.ts';
import { type DeviceCertificate, deviceCertificate } from './certificate.ts';
import { createLoginGuard, type LoginGuard } from './login-guard.ts';
import { createPasswordReader } from './password.ts';

/** How the page is opened: to this machine alone and without a login, or to others behind TLS and a password. */
export type Opening =
  | { readonly kind: 'loopback'; readonly host: string }
  | {
      readonly kind: 'guarded';
      readonly host: string;
      readonly certificate: DeviceCertificate;
      readonly loginGuard: LoginGuard;
    };

export interface OpeningDeps {
  readonly host: string;
  readonly names: readonly string[];
  /** Where password and certificate are kept; without it the page stays on loopback. */
  readonly dataDir?: string;
  readonly register?: Pick<Conditions, 'raise' | 'clear'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
}

const LOOPBACK = '127.0.0.1';
const CONDITION = 'dashboard-loopback';

/** Names under which others may reach this machine; addresses need none. */
export const ownNames = (host: string, names: readonly string[]): string[] => [
  ...new Set([hostname(), `${hostname()}.local`, host, ...names].map((name) => name.toLowerCase())),
];

/** Opens the page to others only when all that it takes is there; else it stays on loopback, and says why. */
export function decideOpening(deps: OpeningDeps): Opening {
  const { host, dataDir, register, log } = deps;
  if (isLoopback(host)) {
    register?.clear(CONDITION);
    return { kind: 'loopback', host };
  }
  const stay = (why: string): Opening => {
    const sentence = `the page is open to this machine alone, although dashboard.host is ${host}: ${why}`;
    register?.raise(CONDITION, sentence);
    log.warn({ event: 'dashboard.stays-on-loopback', host }, sentence);
    return { kind: 'loopback', host: LOOPBACK };
  };
  if (dataDir === undefined) return stay('there is no folder to keep a password in');
  try {
    const password = createPasswordReader(dataDir);
    if (!password())
      return stay(
        'it has no password. Make one on the device with systemd/page-password, then restart the agent',
      );
    const { certificate, isNew } = deviceCertificate(dataDir, ownNames(host, deps.names));
    if (isNew)
      log.warn(
        { event: 'dashboard.certificate', fingerprint: certificate.fingerprint },
        'the page has a new certificate: compare its fingerprint in the browser',
      );
    register?.clear(CONDITION);
    return {
      kind: 'guarded',
      host,
      certificate,
      loginGuard: createLoginGuard({ password, clock: deps.clock, log }),
    };
  } catch (error) {
    if (isBug(error)) throw error;
    return stay(classify(error, 'dashboard.open').message);
  }
}
