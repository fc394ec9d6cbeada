import { isJson, type Json } from '@dachawatch/contracts';
import { goesByCertificate, readThumbprint } from '../thumbprint.ts';
import { isDeviceId, type Device, type DeviceOptions } from '../store/devices.ts';
import {
  badRequest,
  deviceNotFound,
  etagOf,
  requireEtag,
  RestError,
  type RestDeps,
  type Route,
} from './route.ts';

const KEY = /^[A-Za-z0-9+/]{22,88}={0,2}$/;

/** Device identities: create, read, change, remove; and what waits for them. */
export function deviceRoutes({ devices, messages, mqtt }: RestDeps): Route[] {
  const show = (device: Device) => ({
    deviceId: device.deviceId,
    generationId: device.generationId,
    etag: etagOf(device.etag),
    connectionState: mqtt.isConnected(device.deviceId) ? 'Connected' : 'Disconnected',
    status: device.status,
    statusReason: device.statusReason,
    cloudToDeviceMessageCount: messages.waiting(device.deviceId).length,
    authentication: {
      type: goesByCertificate(device) ? 'selfSigned' : 'sas',
      symmetricKey: goesByCertificate(device)
        ? { primaryKey: null, secondaryKey: null }
        : { primaryKey: device.primaryKey, secondaryKey: device.secondaryKey },
      x509Thumbprint: {
        primaryThumbprint: device.primaryThumbprint,
        secondaryThumbprint: device.secondaryThumbprint,
      },
    },
    capabilities: { iotEdge: false },
  });
  const known = (deviceId: string) => {
    const device = devices.get(deviceId);
    if (!device) throw deviceNotFound(deviceId);
    return device;
  };

  return [
    {
      method: 'GET',
      path: /^\/devices\/?$/,
      caller: 'service',
      handle: () => ({ status: 200, body: devices.list().map(show) }),
    },
    {
      method: 'GET',
      path: /^\/devices\/([^/]+)$/,
      caller: 'service',
      handle: ({ params: [id = ''] }) => ({ status: 200, body: show(known(id)) }),
    },
    {
      method: 'PUT',
      path: /^\/devices\/([^/]+)$/,
      caller: 'service',
      handle: ({ params: [id = ''], body, ifMatch }) => {
        const wanted = readDevice(id, body);
        if (ifMatch === undefined && devices.get(id))
          throw new RestError(409, 'DeviceAlreadyExists', `Device ${id} is already registered`);
        if (ifMatch !== undefined) requireEtag(ifMatch, etagOf(known(id).etag));
        const device = devices.put(wanted);
        if (device.status === 'disabled') mqtt.expel(id);
        return { status: 200, body: show(device) };
      },
    },
    {
      method: 'DELETE',
      path: /^\/devices\/([^/]+)$/,
      caller: 'service',
      handle: ({ params: [id = ''], ifMatch }) => {
        requireEtag(ifMatch, etagOf(known(id).etag));
        devices.remove(id);
        mqtt.expel(id);
        return { status: 204 };
      },
    },
    {
      method: 'DELETE',
      path: /^\/devices\/([^/]+)\/commands$/,
      caller: 'service',
      handle: ({ params: [id = ''] }) => ({
        status: 200,
        body: { deviceId: known(id).deviceId, moduleId: '', totalMessagesPurged: messages.purge(id) },
      }),
    },
  ];
}

function readDevice(deviceId: string, body: unknown): DeviceOptions {
  if (!isDeviceId(deviceId)) throw badRequest("A device id has 1 to 128 letters, digits or -._%#*?!(),:=@$'");
  if (!isJson(body)) throw badRequest('The device must be a JSON object');
  if (body['deviceId'] !== undefined && body['deviceId'] !== deviceId)
    throw badRequest('The device id of the body is not that of the address');
  const { status, statusReason, authentication } = body;
  if (status !== undefined && status !== 'enabled' && status !== 'disabled')
    throw badRequest('The status of a device is enabled or disabled');
  const keys =
    isJson(authentication) && isJson(authentication['symmetricKey']) ? authentication['symmetricKey'] : {};
  return {
    deviceId,
    ...(status ? { status } : {}),
    ...(typeof statusReason === 'string' ? { statusReason } : {}),
    ...readKey('primaryKey', keys['primaryKey']),
    ...readKey('secondaryKey', keys['secondaryKey']),
    ...(isJson(authentication) ? readThumbprints(authentication) : {}),
  };
}

/** A device goes by certificate or by keys; whoever says which says all of it. */
function readThumbprints({ type, x509Thumbprint }: Json): Partial<DeviceOptions> {
  if (type === undefined) return {};
  if (type === 'sas') return { primaryThumbprint: null, secondaryThumbprint: null };
  if (type !== 'selfSigned') throw badRequest('The hub knows the authentications sas and selfSigned');
  const given = isJson(x509Thumbprint) ? x509Thumbprint : {};
  const one = (name: 'primaryThumbprint' | 'secondaryThumbprint') => {
    const value = given[name];
    if (value === undefined || value === null || value === '') return null;
    const thumbprint = typeof value === 'string' ? readThumbprint(value) : undefined;
    if (thumbprint === undefined) throw badRequest(`${name} is not 40 or 64 hexadecimal digits`);
    return thumbprint;
  };
  const found = {
    primaryThumbprint: one('primaryThumbprint'),
    secondaryThumbprint: one('secondaryThumbprint'),
  };
  if (!goesByCertificate(found)) throw badRequest('A device with a certificate needs a thumbprint');
  return found;
}

/** Absent and empty keys are made by the hub. */
function readKey(name: 'primaryKey' | 'secondaryKey', value: unknown): Partial<DeviceOptions> {
  if (value === undefined || value === null || value === '') return {};
  if (typeof value !== 'string' || !KEY.test(value))
    throw badRequest(`${name} is not base64 of 16 to 64 bytes`);
  return { [name]: value };
}
