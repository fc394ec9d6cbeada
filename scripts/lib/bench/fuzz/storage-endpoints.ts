/** What is ours at the local storage service: the log of changes. Everything else there is Azurite's. */
import type { Endpoint } from './endpoints.ts';
import { oddWord } from './odd.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD'];
const QUERY = { container: 'dacha-video', feed: 'x', after: '0', waitMs: '0' };
/** Not ours, but they pass by what is: the service has to outlive them. */
const BESIDE = ['//', '//:0/', '/\\', '/$changes/', '/%24changes', '*', '/$CHANGES', '/http://x/'];

/** @param token opens the log */
export function storageEndpoints(token: string): Endpoint[] {
  const headers = { authorization: `Bearer ${token}` };
  return [
    {
      name: 'storage: changes',
      reasonOf: messageIn,
      draw: (random) => {
        const query = Object.entries(QUERY)
          .filter(() => random.chance(0.8))
          .map(([name, usual]) => `${name}=${random.chance(0.4) ? usual : oddWord(random)}`);
        return {
          method: random.chance(0.8) ? 'GET' : random.pick(METHODS),
          path: `/$changes?${query.join('&')}`,
          headers: random.chance(0.9) ? headers : { authorization: random.pick(['', 'Bearer', 'Bearer x']) },
          body: '',
        };
      },
    },
    {
      name: 'storage: paths beside it',
      isOurs: false,
      draw: (random) => ({
        method: random.pick(METHODS),
        path: `${random.pick(BESIDE)}${random.chance(0.5) ? oddWord(random) : ''}`,
        headers: random.chance(0.5) ? headers : {},
        body: '',
      }),
    },
  ];
}

/** A cursor that is not known is answered with the one to go on from, which is all that its reader needs. */
function messageIn(body: string): string | undefined {
  try {
    const { message, cursor } = JSON.parse(body) as { message?: string; cursor?: object };
    return message ?? (cursor && 'cursor');
  } catch {
    return undefined;
  }
}
