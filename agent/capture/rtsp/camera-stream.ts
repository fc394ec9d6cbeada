import { createRtpUnits, type RtpUnits, type StreamUnit } from './rtp-units.ts';
import { openRtspStream, type RtspStream, type RtspStreamDeps } from './stream.ts';

export interface CameraStreamDeps extends Pick<RtspStreamDeps, 'address' | 'credential' | 'onEnd' | 'clock'> {
  /** Each packet, whether or not it can be used. */
  onPacket(): void;
  /** The parameter sets of the camera's description first, then those of the stream and its pictures. */
  onUnit(unit: StreamUnit): void;
}

/** A camera's H.264 stream, from its address to NAL units. */
export function openCameraStream(deps: CameraStreamDeps): RtspStream {
  let units: RtpUnits | undefined;
  return openRtspStream({
    address: deps.address,
    credential: deps.credential,
    onTrack: ({ payloadType, clockRate, parameterSets }) => {
      units = createRtpUnits({ payloadType, clockRate, onUnit: (unit) => deps.onUnit(unit) });
      for (const set of parameterSets) deps.onUnit(described(set));
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
const described = (set: Buffer): StreamUnit => ({
  unit: Buffer.concat([HEAD, set]),
  stampMs: undefined,
  afterLoss: false,
});
