/** The addresses of the local IoT Hub over HTTPS, and odd requests to each. */
import { createHmac } from 'node:crypto';
import type { Random } from '../faults/random.ts';
import type { Endpoint } from './endpoints.ts';
import { oddDocument, oddWord } from './odd.ts';

const HOUR_S = 3_600;
const VERSION = 'api-version=2021-04-12';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const ETAGS = ['*', '"*"', 'AAAA', '""', '"'];
const NOT_TOKENS = [
  '',
  'Bearer x',
  'SharedAccessSignature',
  'SharedAccessSignature sr=&sig=&se=',
  'SharedAccessSignature sr=%zz&sig=x&se=99999999999',
];

/** The key of the device that odd requests are about. */
export const VICTIM_KEY = Buffer.alloc(32, 7).toString('base64');
export const victimDevice = (deviceId: string) => ({
  deviceId,
  status: 'enabled',
  statusReason: 'none',
  authentication: { type: 'sas', symmetricKey: { primaryKey: VICTIM_KEY, secondaryKey: VICTIM_KEY } },
});

/** A token as the hub's SDKs make it. @param resource host and path */
export function hubToken(resource: string, key: string, policy?: string): string {
  const sr = encodeURIComponent(resource);
  const se = Math.floor(Date.now() / 1_000) + 24 * HOUR_S;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(`${sr}\n${se}`).digest('base64');
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(signature)}&se=${se}${policy ? `&skn=${policy}` : ''}`;
}

/** @param victim a device that nobody misses
 *  @param tokens that the service shows, and that device */
// oxlint-disable-next-line max-lines-per-function -- a table: an entry for each address
export function hubEndpoints(
  victim: string,
  tokens: { readonly service: string; readonly device: string },
): Endpoint[] {
  const word = (random: Random, usual: string) => (random.chance(0.7) ? usual : oddWord(random));
  const version = (random: Random) =>
    random.chance(0.95) ? VERSION : random.pick(['', 'api-version=', `api-version=${oddWord(random)}`]);
  const service = (random: Random) => ({
    authorization: tokens.service,
    ...(random.chance(0.2) ? { 'if-match': random.pick(ETAGS) } : {}),
  });
  const twin = { tags: { place: 'gate' }, properties: { desired: { upload: { rate: 1 }, on: true } } };
  const device = victimDevice(victim);
  const hub = { reasonOf: reasonOfHub };
  return [
    {
      ...hub,
      name: 'hub: devices',
      draw: (random) => ({
        method: random.pick(['PUT', 'PUT', 'GET', 'DELETE']),
        path: `/devices/${word(random, victim)}${random.chance(0.1) ? '/commands' : ''}?${version(random)}`,
        headers: service(random),
        body: oddDocument(random, device),
      }),
    },
    {
      ...hub,
      name: 'hub: twins',
      draw: (random) => ({
        method: random.pick(['PATCH', 'PATCH', 'PUT', 'GET']),
        path: `/twins/${word(random, victim)}?${version(random)}`,
        headers: service(random),
        body: oddDocument(random, twin),
      }),
    },
    {
      ...hub,
      name: 'hub: query',
      draw: (random) => ({
        method: 'POST',
        path: `/devices/query?${version(random)}`,
        headers: service(random),
        body: oddDocument(random, { query: 'SELECT * FROM devices' }),
      }),
    },
    {
      ...hub,
      name: 'hub: methods',
      draw: (random) => ({
        method: 'POST',
        path: `/twins/${word(random, victim)}/methods?${version(random)}`,
        headers: service(random),
        body: oddDocument(random, {
          methodName: 'retryClip',
          payload: { clipId: '01KAPZ8Y4M3VQ7T0C2N5R8X1DB' },
          responseTimeoutInSeconds: 1,
        }),
      }),
    },
    {
      ...hub,
      name: 'hub: tickets',
      draw: (random) => {
        const back = random.chance(0.5);
        const path = back ? `/notifications${random.chance(0.5) ? `/${oddWord(random)}` : ''}` : '';
        return {
          method: 'POST',
          path: `/devices/${word(random, victim)}/files${path}?${version(random)}`,
          headers: { authorization: tokens.device },
          body: oddDocument(
            random,
            back
              ? { correlationId: 'x', isSuccess: true, statusCode: 200, statusDescription: 'done' }
              : { blobName: 'gate/2026/11/30/01KAPZ8Y4M3VQ7T0C2N5R8X1DB.mp4' },
          ),
        };
      },
    },
    {
      ...hub,
      name: 'hub: watch',
      // The first of two values counts: a watcher that stays is not what is looked for.
      draw: (random) => ({
        method: 'GET',
        path: `/dachawatch/watch?${VERSION}&follow=0&${random.pick(['after', 'since', 'deviceId', 'follow'])}=${random.chance(0.3) ? '5' : oddWord(random)}`,
        headers: { authorization: tokens.service },
        body: '',
      }),
    },
    {
      ...hub,
      name: 'hub: paths and tokens',
      draw: (random) => ({
        method: random.pick(METHODS),
        path: `${random.pick(['', '/', '//', '/devices', '/twins', '/devices/query', '/dachawatch'])}/${oddWord(random)}?${version(random)}`,
        headers: {
          authorization: random.chance(0.5)
            ? random.pick(NOT_TOKENS)
            : hubToken(oddWord(random), VICTIM_KEY, random.pick(['iothubowner', 'x', ''])),
        },
        body: random.chance(0.5) ? oddDocument(random, twin) : '',
      }),
    },
  ];
}

/** `{"Message":"ErrorCode:Word;sentence"}`. */
function reasonOfHub(body: string): string | undefined {
  try {
    const { Message } = JSON.parse(body) as { Message?: string };
    return /^ErrorCode:\w+;(.+)/s.exec(Message ?? '')?.[1];
  } catch {
    return undefined;
  }
}
