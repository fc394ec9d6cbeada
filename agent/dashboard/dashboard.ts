import type { CameraStatus } from '../capture/capture.ts';
import type { LinkStatus } from '../hub/hub.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { UploadStatus } from '../upload/upload.ts';

export interface DashboardDeps {
  readonly deviceId: string;
  readonly host: string;
  readonly port: number;
  readonly ledger: Pick<Ledger, 'clips' | 'clip' | 'custody' | 'summary'>;
  readonly cameras: () => readonly CameraStatus[];
  readonly link: () => LinkStatus;
  readonly upload: () => UploadStatus;
  /** Path of the annotated best frame of a judged clip, fetched when first asked for; undefined when there is none. */
  readonly bestFrame: (clipId: string) => Promise<string | undefined>;
}

/** The local status page and its API. */
export interface Dashboard {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Where it answers, after start: `http://127.0.0.1:8080`. */
  url(): string;
}
