/** What a detector shows of itself to people who look on (`scripts/replay`). */
export interface ModelView {
  readonly columns: number;
  readonly rows: number;
  /** The background as a picture. */
  readonly scene: Uint8Array;
  /** Changed pixels of each cell. */
  readonly changed: Uint16Array;
  /** What each cell shows: one of `texture.ts`. */
  readonly kinds: Uint8Array;
  /** How much each cell moves anyway, 0 to 1. */
  readonly sway: Float32Array;
  /** How often things come to nothing in each cell, 0 to 1. */
  readonly idle: Float32Array;
  /** Cells with 1 hold a thing that is followed. */
  readonly held: Uint8Array;
  readonly tracks: readonly TrackView[];
  /** How much short-lived stir there is. */
  clutter(): number;
}

/** The objects are used again: those that are not used, or were not seen in this frame, say nothing about it. */
export interface TrackView {
  readonly id: number;
  readonly used: boolean;
  readonly seen: boolean;
  readonly confirmed: boolean;
  /** Pixels. */
  readonly x: number;
  readonly y: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
