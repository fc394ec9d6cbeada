import type { MadeCoding, MadePicture } from './made-pictures.ts';
import type { RtpPacket } from './rtp-packets.ts';

/** What one stream of a made camera sends. */
export interface MadeStream {
  readonly fps: number;
  /** Shown one after another; the last one again and again. */
  readonly takes: readonly Take[];
  /** Parameter sets that its description names; default those of the first take; null names none. */
  readonly described?: {
    readonly vps?: Buffer | undefined;
    readonly sps: Buffer;
    readonly pps: Buffer;
  } | null;
  /** The coding that its description names; default that of the first take. */
  readonly calls?: MadeCoding;
  /** Where parameter sets come in the stream itself: before each key frame (default), or never. */
  readonly parameterSets?: 'in-band' | 'described-only';
  /** What a viewer gets first: the next key frame, or (default) whatever comes next. */
  readonly beginsWith?: 'key-frame' | 'anything';
  /** Largest payload of a packet; default as over UDP. */
  readonly packetBytes?: number;
  /** When a picture says it was taken, in seconds, given the truth. */
  readonly stamp?: (trueS: number, index: number) => number;
  /** Each picture says its number (made-pictures.ts). */
  readonly numbered?: boolean;
  /** Changes the packets of a picture on their way out, or leaves some out. */
  readonly rewrite?: (packets: RtpPacket[], index: number, picture: MadePicture) => RtpPacket[];
  /** Nothing is sent for the picture; it was never taken. */
  readonly skips?: (index: number) => boolean;
  /** What is offered beside the pictures: sound, metadata, another video. */
  readonly tracks?: readonly MadeTrack[];
}

export interface Take {
  readonly pictures: readonly MadePicture[];
  /** How often it is shown before the next one; of no meaning for the last. Default 1. */
  readonly times?: number;
}

/** A track beside the pictures of a stream. */
export interface MadeTrack {
  /** Its lines of the description, from `m=` on. */
  readonly described: readonly string[];
  /** Described before the pictures; default behind them. */
  readonly first?: boolean;
  readonly payloadType: number;
  readonly clockRate: number;
  /** Packets, or pictures, a second. */
  readonly perSecond: number;
  /** Payloads of the n-th of them; the last one is marked. */
  readonly payloads: (index: number) => readonly Buffer[];
}
