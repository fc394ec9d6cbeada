/** What the harness and the house say to each other. */
import type { Clip } from '../../../../../agent/ledger/ledger.ts';

/** To the house. */
export type HouseOrder =
  | { readonly do: 'move'; readonly cameraId: string; readonly seconds: number }
  | { readonly do: 'kill recorder'; readonly cameraId: string }
  | { readonly do: 'tell'; readonly clipIds: readonly string[] };
export type ClipNow = Pick<
  Clip,
  'clipId' | 'cameraId' | 'state' | 'reason' | 'bytes' | 'sha256' | 'blobUrl'
> & {
  readonly revision: number | null;
};
export const isAtEnd = ({ state }: Pick<Clip, 'state'>) =>
  ['uploaded', 'judged', 'lost', 'parked'].includes(state);
/** From the house. */
export type HouseReport =
  /** The ledger cannot be used now. */
  | { readonly closed: string }
  | { readonly ready: true }
  | { readonly still: string }
  | { readonly recorder: number }
  /** Clips that were asked for, and all that are not at their end. */
  | { readonly clips: readonly ClipNow[]; readonly recording: boolean };
