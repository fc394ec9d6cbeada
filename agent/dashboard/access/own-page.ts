import type { IncomingHttpHeaders } from 'node:http';

/** Whether a request that changes something was sent by a page of ours, which a browser says in one of two headers that
 *  no page can write: `Sec-Fetch-Site`, or `Origin` in those that lack it. Who sends neither is no browser, or one that
 *  hides it: refused. */
export function isOwnPage({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  const isOwnOrigin = host !== undefined && origin?.toLowerCase() === `https://${host.toLowerCase()}`;
  // A form sends the origin "null" under some referrer policies.
  if (site !== undefined)
    return site === 'same-origin' && (origin === undefined || origin === 'null' || isOwnOrigin);
  return isOwnOrigin;
}
