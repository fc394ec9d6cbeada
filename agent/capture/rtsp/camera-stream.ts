import type { Encoding } from '../packing/coding.ts';
import { createRtpUnits, type RtpUnits, type StreamUnit } from './rtp-units.ts';
import { openRtspStream, type RtspStream, type RtspStreamDeps } from './stream.ts';

export interface CameraStreamDeps extends Pick<RtspStreamDeps, 'address' | 'credential' | 'onEnd' | 'clock'> {
  /** Each packet, whether or not it can be used. */
  onPacket(): void;
  /** The parameter sets of the camera's description first, then those of the stream and its pictures. */
  onUnit(unit: StreamUnit): void;
}

/** A camera's stream of pictures, from its address to NAL units. */
export function openCameraStream(deps: CameraStreamDeps): RtspStream {
  let units: RtpUnits | undefined;
  return openRtspStream({
    address: deps.address,
    credential: deps.credential,
    onTrack: ({ encoding, payloadType, clockRate, parameterSets }) => {
      units = createRtpUnits({ encoding, payloadType, clockRate, onUnit: (unit) => deps.onUnit(unit) });
      for (const set of parameterSets) deps.onUnit(described(set, encoding));
    },
    onPacket: (buffer, from, to) => {
      deps.onPacket();
      units?.packet(buffer, from, to);
    },
    onEnd: (end) => deps.onEnd(end),
    clock: deps.clock,
  });
}

const HEAD = Buffer.alloc(4);
const described = (set: Buffer, encoding: Encoding): StreamUnit => ({
  encoding,
  unit: Buffer.concat([HEAD, set]),
  stampMs: undefined,
  afterLoss: false,
});
