import { isJson } from '@dachawatch/contracts';
import { badRequest, deviceNotFound, RestError, type RestDeps, type Route } from './route.ts';

const PAYLOAD_LIMIT_BYTES = 128 * 1024;
const DEFAULT_TIMEOUT_S = 30;

/** Direct methods: the answer is the device's, or says that it is not there. */
export function methodRoutes({ devices, mqtt }: RestDeps): Route[] {
  return [
    {
      method: 'POST',
      path: /^\/twins\/([^/]+)\/methods$/,
      caller: 'service',
      handle: async ({ params: [id = ''], body }) => {
        if (!devices.get(id)) throw deviceNotFound(id);
        const answer = await mqtt.callMethod(id, readCall(body));
        if (answer === 'offline')
          throw new RestError(404, 'DeviceNotOnline', 'errorCode 404103: the device is not connected');
        if (answer === 'late')
          throw new RestError(504, 'GatewayTimeout', 'errorCode 504101: the device did not answer in time');
        return { status: 200, body: answer };
      },
    },
  ];
}

function readCall(body: unknown): { name: string; payload: string; timeoutMs: number } {
  if (!isJson(body)) throw badRequest('The call must be a JSON object');
  const { methodName, payload, responseTimeoutInSeconds: seconds = DEFAULT_TIMEOUT_S } = body;
  if (typeof methodName !== 'string' || !/^[^/?#]{1,100}$/.test(methodName))
    throw badRequest('methodName must be 1 to 100 characters');
  if (typeof seconds !== 'number' || !(seconds > 0 && seconds <= 300))
    throw badRequest('responseTimeoutInSeconds must be above 0 and at most 300');
  const text = JSON.stringify(payload ?? null);
  if (Buffer.byteLength(text) > PAYLOAD_LIMIT_BYTES) throw badRequest('The payload is larger than 128 KB');
  return { name: methodName, payload: text, timeoutMs: seconds * 1000 };
}
