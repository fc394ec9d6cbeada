/** RTP's names of the codings that can be recorded and watched. */
export type Encoding = 'H264' | 'H265';

/** `supplement`: SEI in front of its picture · `behind`: belongs to the picture before it. */
export type UnitKind =
  | 'slice'
  | 'vps'
  | 'sps'
  | 'pps'
  | 'supplement'
  | 'delimiter'
  | 'behind'
  /** Of a second layer: not for our decoders. */
  | 'foreign'
  | 'other';

export interface Sps {
  readonly id: number;
  /** Profile and level, as the init segment repeats them: three bytes in `avcC`, twelve in `hvcC`. */
  readonly profile: Buffer;
  /** Size of the picture that is shown. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** What only H.265 has or needs. */
  readonly h265?: H265Sps;
}

export interface H265Sps {
  readonly vpsId: number;
  readonly chroma: number;
  readonly lumaBits: number;
  readonly chromaBits: number;
  readonly temporalLayers: number;
  readonly isTemporalNested: boolean;
  readonly hasSeparatePlanes: boolean;
  /** How many bits of its picture order count a slice tells. */
  readonly orderBits: number;
}

export interface Pps {
  readonly id: number;
  readonly spsId: number;
  /** Of H.265: what lies in a slice's header before its place in the order. */
  readonly extraBits?: number;
  readonly hasOutputFlag?: boolean;
}

export interface Slice {
  /** It begins its picture. */
  readonly first: boolean;
  readonly ppsId: number;
  /** Decoding can begin with its picture. `open`: pictures behind it that are shown before it may need what is not there. */
  readonly access: 'closed' | 'open' | undefined;
  readonly intra: boolean;
  readonly order: SliceOrder;
  /** Its picture may need one before the last key frame, if it is shown before that. */
  readonly isLeading: boolean;
}

/** Whether a picture is shown before one that was sent earlier: H.264 is asked for B slices, H.265 counts. */
export type SliceOrder =
  | { readonly kind: 'said'; readonly reordered: boolean }
  | { readonly kind: 'counted'; readonly count: number; readonly bits: number };

/** What of a coding must be read to cut a camera's stream into clips that decode. Units come from the network, without
 *  start codes: nothing outside of them is read, and every loop is bounded. What reads throws Failure `corrupt`. */
export interface Coding {
  readonly encoding: Encoding;
  /** As people write it. */
  readonly plain: string;
  kindOf(unit: Buffer): UnitKind;
  /** @returns its number; only H.265 has such a set */
  readVps?(unit: Buffer): number;
  readSps(unit: Buffer): Sps;
  readPps(unit: Buffer): Pps;
  /** @param setsOf what a picture with this PPS needs, as far as it is known */
  readSlice(
    unit: Buffer,
    setsOf: (ppsId: number) => { readonly sps: Sps; readonly pps: Pps } | undefined,
  ): Slice;
  /** Whether a supplement says that decoding can begin with its picture, if that is intra. */
  isRecoveryPoint(unit: Buffer): boolean;
  /** Like `High 4.0`. */
  profileOf(sps: Sps): string;
}
