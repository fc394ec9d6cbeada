export { type ApplianceFacts, type ApplianceSources, readAppliance } from './appliance-facts.ts';
export {
  allThatMatters,
  type ApplianceStatus,
  applianceStatus,
  machineTroubles,
} from './appliance-status.ts';
export { createCaptureCheck, createLedgerCheck, progressMark, type ProgressMark } from './checks.ts';
export { createRecordingLimit, type RecordingLimit } from './recording-limit.ts';
export { createRefusedRecordings, type RefusedRecordings } from './refused-recordings.ts';
export { createStorageJudge, type StorageState } from './storage-state.ts';
export { type ClipNews, readClipNews } from './clip-news.ts';
export { type StatusFacts, statusSentence } from './status-line.ts';
export { createWatchdog, type Watchdog, type WatchdogCheck } from './watchdog.ts';
export { createHealth, type Disk, type Health, type HealthDeps } from './machine-health.ts';
