import type { TLSSocket } from 'node:tls';
import type { IConnectPacket, Packet } from 'mqtt-packet';
import type { HubParts } from '../parts.ts';
import { thumbprintsOf } from '../thumbprint.ts';
import { judgeConnect } from './connect.ts';
import type { DeviceLink } from './device-link.ts';
import type { DeviceLinks } from './device-links.ts';
import { createWire, type Wire } from './wire.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface ConnectionDeps {
  readonly parts: Pick<HubParts, 'faults' | 'devices' | 'events' | 'hostName' | 'nowMs' | 'log' | 'onTrace'>;
  readonly links: DeviceLinks;
  /** The device was let in, and has been told. */
  readonly onWelcome: (link: DeviceLink) => void;
  /** Everything but CONNECT and DISCONNECT. */
  readonly onPacket: (link: DeviceLink, packet: Packet) => void;
  /** The connection ended without a DISCONNECT. */
  readonly onWill: (deviceId: string, will: NonNullable<IConnectPacket['will']>) => void;
}

/** One connection from CONNECT to its end: lets the device in, or says why not, and ends when its token expires. */
export function serveConnection(socket: TLSSocket, deps: ConnectionDeps): void {
  const { parts, links, onWelcome, onPacket, onWill } = deps;
  const { faults, devices, events, hostName, nowMs, log, onTrace } = parts;
  let link: DeviceLink | undefined;
  let will: IConnectPacket['will'];
  let expiry: NodeJS.Timeout | undefined;

  const noteConnection = (deviceId: string, state: 'connected' | 'disconnected') =>
    events.record({ deviceId, kind: 'connection', topic: '', body: Buffer.from(JSON.stringify({ state })) });

  function welcome(packet: IConnectPacket, wire: Wire): void {
    const verdict =
      faults.refuseConnect === null
        ? judgeConnect(packet, {
            hostName,
            device: (id) => devices.get(id),
            shown: thumbprintsOf(socket),
            nowMs: nowMs(),
          })
        : { refused: faults.refuseConnect, reason: 'refused by a fault switch' };
    if ('refused' in verdict) {
      log({ event: 'mqtt.refused', clientId: packet.clientId, reason: verdict.reason });
      wire.send({ cmd: 'connack', returnCode: verdict.refused, sessionPresent: false });
      wire.end();
      return;
    }
    const { deviceId } = verdict.device;
    const entered = links.enter(deviceId, packet.clean === true, wire);
    link = entered.link;
    noteConnection(deviceId, 'connected');
    will = packet.will;
    wire.name(deviceId);
    wire.keepAlive(packet.keepalive ?? 0);
    const leftMs = Math.min(verdict.expiresMs - nowMs(), LONGEST_TIMER_MS);
    expiry = setTimeout(() => wire.destroy(), leftMs);
    wire.send({ cmd: 'connack', returnCode: 0, sessionPresent: entered.resumed });
    onWelcome(link);
  }

  createWire(socket, {
    faults,
    onTrace,
    onPacket(packet, wire) {
      if (packet.cmd === 'connect') {
        if (link) wire.destroy();
        else welcome(packet, wire);
      } else if (!link) wire.destroy();
      else if (packet.cmd === 'disconnect') {
        will = undefined;
        wire.end();
      } else onPacket(link, packet);
    },
    onClose() {
      clearTimeout(expiry);
      if (!link) return;
      if (will) onWill(link.deviceId, will);
      if (links.leave(link)) noteConnection(link.deviceId, 'disconnected');
    },
  });
}
