import type { IConnectPacket } from 'mqtt-packet';
import { checkSas } from '../sas.ts';
import { certificateProblem, goesByCertificate } from '../thumbprint.ts';
import type { Device } from '../store/devices.ts';

/** CONNACK codes. */
const BAD_PROTOCOL = 1;
const BAD_IDENTIFIER = 2;
const NOT_AUTHORIZED = 5;

export type Welcome =
  | { readonly device: Device; readonly expiresMs: number }
  | { readonly refused: number; readonly reason: string };

const USER_NAME = /^([^/]+)\/([^/]+)\/\?api-version=\d{4}-\d{2}-\d{2}(&|$)/;

/** Who is it, and may it in? The user name carries hub, device and API version; the password is a token for
 *  `<hub>/devices/<device>`; a device that goes by certificate has none.
 *  @param shown thumbprints of the certificate that it has shown */
export function judgeConnect(
  packet: IConnectPacket,
  {
    hostName,
    device: find,
    shown,
    nowMs,
  }: {
    hostName: string;
    device: (deviceId: string) => Device | undefined;
    shown: readonly string[];
    nowMs: number;
  },
): Welcome {
  const refuse = (refused: number, reason: string): Welcome => ({ refused, reason });
  if (packet.protocolId !== 'MQTT' || packet.protocolVersion !== 4)
    return refuse(BAD_PROTOCOL, 'only MQTT 3.1.1 is spoken here');
  const [, hub, deviceId] = USER_NAME.exec(packet.username ?? '') ?? [];
  if (!hub || !deviceId) return refuse(NOT_AUTHORIZED, 'the user name is not <hub>/<device>/?api-version=…');
  if (packet.clientId !== deviceId)
    return refuse(BAD_IDENTIFIER, 'client id and device id of the user name differ');
  if (hub.toLowerCase() !== hostName.toLowerCase())
    return refuse(NOT_AUTHORIZED, `the user name is for the hub ${hub}`);
  const device = find(deviceId);
  if (!device) return refuse(NOT_AUTHORIZED, `the device ${deviceId} is not registered`);
  if (device.status === 'disabled') return refuse(NOT_AUTHORIZED, `the device ${deviceId} is disabled`);
  if (goesByCertificate(device)) {
    const problem = certificateProblem(device, shown);
    return problem === undefined
      ? { device, expiresMs: Number.POSITIVE_INFINITY }
      : refuse(NOT_AUTHORIZED, problem);
  }
  const verdict = checkSas(packet.password?.toString() ?? '', {
    keys: [device.primaryKey, device.secondaryKey],
    resources: [`${hostName}/devices/${deviceId}`],
    nowMs,
  });
  if ('refused' in verdict) return refuse(NOT_AUTHORIZED, verdict.refused);
  return { device, expiresMs: verdict.token.expiresMs };
}
