import type { Capture } from './capture/capture.ts';
import type { Dashboard } from './dashboard/dashboard.ts';
import type { Health, ProgressMark, RecordingLimit, RefusedRecordings, Watchdog } from './health/health.ts';
import type { HubLink } from './hub/hub.ts';
import type { Clock } from './kernel/clock.ts';
import type { Conditions } from './kernel/conditions.ts';
import type { Log } from './kernel/log.ts';
import type { Service } from './kernel/services/lifecycle.ts';
import type { ServiceManager } from './kernel/services/service-manager.ts';
import type { LedgerService } from './ledger/ledger-service.ts';
import type { SuppressedStore } from './motion/motion.ts';
import type { StartableWires } from './power/gpio/wires.ts';
import type { Power } from './power/power.ts';
import type { Reports } from './reports/reports.ts';
import type { ApplianceSettings, ConfigFiles } from './settings/settings.ts';
import type { Uploader } from './upload/upload.ts';

/** What the rooms are built of. */
export interface Ground {
  readonly files: ConfigFiles;
  readonly dataDir: string;
  /** Of systemd. */
  readonly runtimeDir: string | undefined;
  readonly captureEnvironment: Readonly<Record<string, string>>;
  readonly manager: ServiceManager;
  readonly conditions: Conditions;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Rooms {
  readonly ledger: LedgerService;
  readonly upkeep: Service;
  readonly settings: ApplianceSettings;
  readonly hub: HubLink;
  readonly uploader: Uploader;
  readonly suppressed: SuppressedStore;
  readonly capture: Capture;
  readonly health: Health;
  /** Undefined: nothing is wired. */
  readonly wires: StartableWires | undefined;
  readonly power: Power;
  readonly reports: Reports;
  readonly dashboard: Dashboard;
  readonly troubleLight: Service;
  readonly watchdog: Watchdog;
  readonly refusedRecordings: RefusedRecordings;
  readonly recordingLimit: RecordingLimit;
  readonly hubTurn: ProgressMark;
}

/** The log of a room. */
export const logOf = ({ log }: Ground, room: string): Log => log.child({ room });
