import { SERVICE_POLICY, type HubParts } from '../parts.ts';
import { checkSas } from '../sas.ts';
import type { Device } from '../store/devices.ts';
import { certificateProblem, goesByCertificate } from '../thumbprint.ts';
import { RestError, type Route } from './route.ts';

export interface AuthorizeDeps {
  readonly parts: Pick<HubParts, 'devices' | 'serviceKey' | 'hostName' | 'nowMs'>;
  /** Every name the service may use for this hub. */
  readonly hostNames: () => readonly string[];
}

/** Whether a caller may use a route: a device its own, by a token of its keys or by its certificate; the service every
 *  other, by a token of its policy.
 *  @param token of the header `Authorization`
 *  @param shown thumbprints of the certificate that the caller has shown
 *  @param params of the route; the first is the device of a device's route
 *  @throws RestError 401, or 403 for a device that is disabled */
export function authorize(
  { token, shown }: { readonly token: string; readonly shown: readonly string[] },
  { route, params, path }: { route: Pick<Route, 'caller'>; params: readonly string[]; path: string },
  { parts, hostNames }: AuthorizeDeps,
): void {
  const device = route.caller === 'device' ? parts.devices.get(params[0] ?? '') : undefined;
  if (device && goesByCertificate(device)) {
    const problem = certificateProblem(device, shown);
    if (problem !== undefined) throw new RestError(401, 'IotHubUnauthorizedAccess', problem);
    requireEnabled(device);
    return;
  }
  const keys = route.caller === 'service' ? [parts.serviceKey] : keysOf(device);
  const names = route.caller === 'service' ? hostNames() : [parts.hostName];
  const place = route.caller === 'service' ? path : `/devices/${params[0]}`;
  const verdict = checkSas(token, {
    keys,
    resources: names.map((name) => `${name}${place}`),
    nowMs: parts.nowMs(),
  });
  if ('refused' in verdict) throw new RestError(401, 'IotHubUnauthorizedAccess', verdict.refused);
  if (route.caller === 'service' && verdict.token.policy !== SERVICE_POLICY)
    throw new RestError(401, 'IotHubUnauthorizedAccess', 'the token names another policy');
  if (device) requireEnabled(device);
}

function requireEnabled({ status }: Pick<Device, 'status'>): void {
  if (status === 'disabled') throw new RestError(403, 'DeviceDisabled', 'the device is disabled');
}

const keysOf = (device: { primaryKey: string; secondaryKey: string } | undefined) =>
  device ? [device.primaryKey, device.secondaryKey] : [];
