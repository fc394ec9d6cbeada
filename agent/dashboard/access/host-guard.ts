import { isIP, isIPv4 } from 'node:net';

const LOOPBACK_NAMES = new Set(['localhost', '::1', '[::1]']);

/** Whether only this machine can reach a server bound to `host`. */
export const isLoopback = (host: string): boolean =>
  LOOPBACK_NAMES.has(host.toLowerCase()) || (isIPv4(host) && host.startsWith('127.'));

/** A page of another site can make its own name point to this machine (DNS rebinding) and would then read the dashboard
 *  as its own. Its requests still carry its name in the Host header.
 *  On loopback only loopback's own names pass, with any port, because a tunnel may use another one. Opened to others, it
 *  answers to its names and to every address: an address is no name that somebody else could point here.
 *  @param names under which others may reach it; undefined: it is open to this machine alone */
export function createHostGuard(
  names: readonly string[] | undefined,
): (hostHeader: string | undefined) => boolean {
  const own = new Set(names);
  return (hostHeader) => {
    const host = hostIn(hostHeader);
    if (host === undefined) return false;
    if (isLoopback(host)) return true;
    return names !== undefined && (isIP(host.replaceAll(/[[\]]/g, '')) !== 0 || own.has(host));
  };
}

/** Lower case, without port and without the dot that ends a whole name; undefined when it is none. */
function hostIn(hostHeader: string | undefined): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(hostHeader ?? '');
  return match?.[1]?.toLowerCase().replace(/\.$/, '');
}
