import { checkCamera, type CheckCameraDeps } from './check-camera.ts';
import type { DirectMethod } from './method.ts';
import { recordNow, type RecordNowDeps } from './record-now.ts';
import { retryClip, type RetryClipDeps } from './retry-clip.ts';
import { snapshot, type SnapshotDeps } from './snapshot.ts';

/** What the cloud may ask of the house, by the names on the wire. A new method is a file of its own, its contract, and
 *  its name here. */
export const DIRECT_METHODS = { snapshot, recordNow, retryClip, checkCamera } as const;

export type DirectMethodName = keyof typeof DIRECT_METHODS;

/** What the methods need of other rooms. */
export interface DirectMethodsDeps extends SnapshotDeps, RecordNowDeps, RetryClipDeps, CheckCameraDeps {}

/** The methods as the dispatcher takes them. */
export function createDirectMethods(
  deps: DirectMethodsDeps,
): Readonly<Record<DirectMethodName, DirectMethod>> {
  const made = Object.entries(DIRECT_METHODS).map(([name, create]) => [name, create(deps)]);
  return Object.fromEntries(made) as Record<DirectMethodName, DirectMethod>;
}
