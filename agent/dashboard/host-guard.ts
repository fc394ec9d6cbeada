import { isIPv4 } from 'node:net';

const LOOPBACK_NAMES = new Set(['localhost', '::1', '[::1]']);

/** Whether only this machine can reach a server bound to `host`. */
export const isLoopback = (host: string): boolean =>
  LOOPBACK_NAMES.has(host.toLowerCase()) || (isIPv4(host) && host.startsWith('127.'));

/** A page of another site can make its own name point to 127.0.0.1 (DNS rebinding) and would then read the
 *  dashboard as its own. Its requests still carry its name in the Host header: on loopback only loopback's own
 *  names pass, with any port, because a tunnel may use another one.
 *  @param boundTo the address the server listens on */
export function createHostGuard(boundTo: string): (hostHeader: string | undefined) => boolean {
  if (!isLoopback(boundTo)) return () => true;
  return (hostHeader) => {
    if (hostHeader === undefined) return false;
    const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(hostHeader);
    return match?.[1] !== undefined && isLoopback(match[1]);
  };
}
