import { isJson, type Json } from '@dachawatch/contracts';
import { TwinUnfit, type Twin } from '../store/twins.ts';
import {
  badRequest,
  deviceNotFound,
  etagOf,
  requireEtag,
  RestError,
  type RestDeps,
  type RestRequest,
  type Route,
} from './route.ts';

const QUERY_ALL = /^\s*select\s+\*\s+from\s+devices\s*$/i;

/** Twins as the service sees them, and the one query the local hub knows. */
export function twinRoutes({ devices, twins, events, mqtt }: RestDeps): Route[] {
  const show = (twin: Twin) => ({
    deviceId: twin.deviceId,
    etag: etagOf(twin.etag),
    version: twin.etag,
    status: devices.get(twin.deviceId)?.status ?? 'disabled',
    connectionState: mqtt.isConnected(twin.deviceId) ? 'Connected' : 'Disconnected',
    tags: twin.tags,
    properties: {
      desired: { ...twin.desired, $version: twin.desiredVersion },
      reported: { ...twin.reported, $version: twin.reportedVersion },
    },
  });

  function change({ params: [deviceId = ''], body, ifMatch }: RestRequest, replace: boolean) {
    if (!isJson(body)) throw badRequest('The twin must be a JSON object');
    const tags = section(body['tags'], 'tags');
    const properties = section(body['properties'], 'properties');
    const desired = section(properties?.['desired'], 'properties.desired');
    const before = twins.get(deviceId);
    if (before) requireEtag(ifMatch, etagOf(before.etag));
    const twin = save(deviceId, { ...(tags ? { tags } : {}), ...(desired ? { desired } : {}), replace });
    if (!twin) throw deviceNotFound(deviceId);
    if (desired) {
      const patch = replace ? twin.desired : withoutHubKeys(desired);
      const version = twin.desiredVersion;
      mqtt.pushDesired(deviceId, patch, version);
      const text = JSON.stringify({ version, patch });
      events.record({ deviceId, kind: 'desired', topic: '', body: Buffer.from(text) });
    }
    return { status: 200, body: show(twin) };
  }

  function save(...args: Parameters<typeof twins.change>) {
    try {
      return twins.change(...args);
    } catch (error) {
      if (error instanceof TwinUnfit) throw badRequest(error.message);
      throw error;
    }
  }

  return [
    {
      method: 'GET',
      path: /^\/twins\/([^/]+)$/,
      caller: 'service',
      handle: ({ params: [id = ''] }) => {
        const twin = twins.get(id);
        if (!twin) throw deviceNotFound(id);
        return { status: 200, body: show(twin) };
      },
    },
    {
      method: 'PATCH',
      path: /^\/twins\/([^/]+)$/,
      caller: 'service',
      handle: (request) => change(request, false),
    },
    {
      method: 'PUT',
      path: /^\/twins\/([^/]+)$/,
      caller: 'service',
      handle: (request) => change(request, true),
    },
    {
      method: 'POST',
      path: /^\/devices\/query$/,
      caller: 'service',
      handle: ({ body }) => {
        const query = isJson(body) ? body['query'] : undefined;
        if (typeof query !== 'string' || !QUERY_ALL.test(query))
          throw new RestError(400, 'InvalidQuery', 'The local hub answers only SELECT * FROM devices');
        return { status: 200, body: twins.list().map(show), headers: { 'x-ms-item-type': 'Twin' } };
      },
    },
  ];
}

function section(value: unknown, name: string): Json | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJson(value)) throw badRequest(`${name} must be a JSON object`);
  return value;
}

const withoutHubKeys = (patch: Json): Json =>
  Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith('$')));
