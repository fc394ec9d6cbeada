import type { Refusal, ReportedHealth, ReportedVersions } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import type { LinkStatus } from '../hub/hub.ts';
import type { Condition } from '../kernel/conditions.ts';
import { ifAnswers } from '../kernel/if-answers.ts';
import type { Ledger, LedgerSummary } from '../ledger/ledger.ts';
import type { PowerStatus } from '../power/power.ts';
import type { UploadStatus } from '../upload/upload.ts';
import type { ClipNews } from './clip-news.ts';
import type { Disk, Health } from './machine-health.ts';
import type { StorageState } from './storage-state.ts';

/** The desired properties: `$version` of those seen last (0: none yet), and what was not applied. */
export interface DesiredFacts {
  readonly version: number;
  readonly refused: readonly Refusal[];
}

/** Who knows how the appliance is. What is absent is not known. */
export interface ApplianceSources {
  readonly cameras: () => readonly CameraStatus[];
  readonly link: () => LinkStatus;
  readonly upload: () => UploadStatus;
  readonly ledger: Pick<Ledger, 'summary'>;
  readonly power?: () => PowerStatus;
  readonly health?: Pick<Health, 'facts' | 'disk' | 'versions'>;
  /** How much room there is for clips. */
  readonly storage?: () => StorageState | null;
  readonly desired?: () => DesiredFacts;
  /** What is wrong now, the worst first. */
  readonly conditions?: () => readonly Condition[];
  /** What has become of clips. Only who shows it to a person asks. */
  readonly news?: () => ClipNews;
}

/** How the appliance is at one moment. Null: nobody knows. */
export interface ApplianceFacts {
  readonly cameras: readonly CameraStatus[];
  readonly link: LinkStatus;
  readonly upload: UploadStatus;
  /** Null while the ledger does not answer. */
  readonly summary: LedgerSummary | null;
  readonly power: PowerStatus | null;
  readonly health: ReportedHealth | null;
  readonly disk: Disk | null;
  /** Room for clips that are nowhere else. */
  readonly storage: StorageState | null;
  readonly versions: ReportedVersions | null;
  readonly desired: DesiredFacts | null;
  readonly conditions: readonly Condition[];
  readonly news: ClipNews | null;
}

/** Asks every source once. A ledger that does not answer hides nothing else. */
export const readAppliance = (sources: ApplianceSources): ApplianceFacts => ({
  cameras: sources.cameras(),
  link: sources.link(),
  // The uploader asks the ledger, too.
  upload: ifAnswers(sources.upload) ?? {
    state: 'waiting',
    clipId: null,
    detail: 'the ledger does not answer',
  },
  summary: ifAnswers(() => sources.ledger.summary()) ?? null,
  power: sources.power?.() ?? null,
  health: sources.health?.facts() ?? null,
  disk: sources.health?.disk() ?? null,
  storage: sources.storage?.() ?? null,
  versions: sources.health?.versions() ?? null,
  desired: sources.desired?.() ?? null,
  conditions: sources.conditions?.() ?? [],
  news: (sources.news && ifAnswers(sources.news)) ?? null,
});
