/** What everybody in a round agrees on. */
import type { RecordingConfig } from '@dachawatch/contracts';

export const DEVICE = 'pi';
export const HUB_NAME = 'dacha-hub.local';
export const PRE_ROLL_MS = 3_000;
export const RECORDING: RecordingConfig = { preRollMs: PRE_ROLL_MS, postRollMs: 4_000 };
/** The house's clock: waits of the uploader and the ledger are so much shorter than in life. */
export const HASTE = 60;
/** For clips on the house's disk: room for about thirty, so that old ones go. */
export const CLIP_BYTES_MAX = 60_000_000;
/** No single request of the house waits longer for an answer. */
export const ANSWER_MS = 1_500;
/** How long the footage waits for a disk that does not answer. */
export const FEED_DEADLINE_MS = 3_000;

export interface RecorderArguments {
  readonly footageFile: string;
  readonly journalFile: string;
  /** Second of the footage to begin with. */
  readonly offset: number;
}

/** Where the house finds its cloud. */
export interface HubAddress {
  readonly credential: string;
  readonly mqttEndpoint: string;
  readonly httpsEndpoint: string;
  readonly ca: string;
}

/** Ways to break the house on purpose, to see that it is noticed. */
export const SABOTAGES = [
  'delete-sealed',
  'upload-twice',
  'flip-byte',
  'forget-row',
  'cut-fragment',
] as const;
export type Sabotage = (typeof SABOTAGES)[number];

export interface HouseArguments {
  readonly dir: string;
  readonly journalFile: string;
  readonly footageFile: string;
  readonly hub: HubAddress;
  readonly cameras: readonly string[];
  /** Environment of its recorders, on top of its own: their rules for the disk. */
  readonly recorderEnvironment: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly sabotage?: Sabotage;
}

/** What the worker of the harness says of a clip: it depends on every byte of it. */
export const verdictOfSha256 = (sha256: string): 'person' | 'nothing' =>
  Number.parseInt(sha256.slice(0, 1), 16) % 2 === 0 ? 'person' : 'nothing';
