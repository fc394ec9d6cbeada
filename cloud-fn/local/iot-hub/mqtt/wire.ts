import type { TLSSocket } from 'node:tls';
import mqttPacket from 'mqtt-packet';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import type { Faults } from '../faults.ts';

/** Largest payload a device may send. */
const PAYLOAD_LIMIT_BYTES = 256 * 1024;
/** Payload, topic and header of one packet. */
const PACKET_LIMIT_BYTES = PAYLOAD_LIMIT_BYTES + 128 * 1024;
const CONNECT_DEADLINE_MS = 30_000;

/** One MQTT packet as it passed, for tests that must wait for it. */
export interface PacketTrace {
  readonly deviceId: string | null;
  readonly direction: 'from-device' | 'to-device';
  readonly cmd: Packet['cmd'];
  readonly topic?: string;
  readonly messageId?: number;
  readonly dup?: boolean;
  readonly returnCode?: number;
}

/** Packets over one socket: parses, bounds sizes, drops a silent peer. */
export interface Wire {
  send(packet: Packet): void;
  /** Ends the socket after what was sent has left. */
  end(): void;
  destroy(): void;
  /** Drops the socket after one and a half times this of silence; 0 for never. */
  keepAlive(seconds: number): void;
  name(deviceId: string): void;
}

export function createWire(
  socket: TLSSocket,
  {
    faults,
    onPacket,
    onClose,
    onTrace,
  }: {
    faults: Faults;
    onPacket: (packet: Packet, wire: Wire) => void;
    onClose: () => void;
    onTrace: (trace: PacketTrace) => void;
  },
): Wire {
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  let deviceId: string | null = null;
  let unparsedBytes = 0;
  let silence: NodeJS.Timeout | undefined = setTimeout(() => socket.destroy(), CONNECT_DEADLINE_MS);

  const trace = (packet: Packet, direction: PacketTrace['direction']) =>
    onTrace({
      deviceId,
      direction,
      cmd: packet.cmd,
      ...(packet.cmd === 'publish' ? { topic: packet.topic, dup: packet.dup } : {}),
      ...(packet.messageId === undefined ? {} : { messageId: packet.messageId }),
      ...(packet.cmd === 'connack' && packet.returnCode !== undefined
        ? { returnCode: packet.returnCode }
        : {}),
    });

  const wire: Wire = {
    send: (packet) => {
      if (faults.blackHole || socket.destroyed) return;
      trace(packet, 'to-device');
      socket.write(mqttPacket.generate(packet, { protocolVersion: 4 }));
    },
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    keepAlive: (seconds) => {
      clearTimeout(silence);
      silence = seconds > 0 ? setTimeout(() => socket.destroy(), seconds * 1500) : undefined;
    },
    name: (id) => {
      deviceId = id;
    },
  };

  parser.on('packet', (packet) => {
    unparsedBytes = 0;
    silence?.refresh();
    trace(packet, 'from-device');
    if (packet.cmd === 'publish' && isBeyondLimits(packet)) socket.destroy();
    else onPacket(packet, wire);
  });
  parser.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    if (faults.blackHole) return;
    unparsedBytes += chunk.length;
    parser.parse(chunk);
    if (unparsedBytes > PACKET_LIMIT_BYTES) socket.destroy();
  });
  socket.on('error', () => socket.destroy()); // the peer's business; `close` follows
  socket.on('close', () => {
    clearTimeout(silence);
    onClose();
  });
  return wire;
}

const isBeyondLimits = (packet: IPublishPacket) =>
  packet.qos === 2 || Buffer.byteLength(packet.payload) > PAYLOAD_LIMIT_BYTES;
