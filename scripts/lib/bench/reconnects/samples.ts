/** What the process that watches and its child hold while the camera is live. */
export interface Sample {
  readonly descriptors: number;
  /** Timers, sockets, pipes and the like by which the event loop is kept. */
  readonly resources: number;
  /** Of JavaScript, behind a garbage collection. */
  readonly heapMb: number;
  readonly processes: number;
  readonly childDescriptors: number;
  readonly childRssMb: number;
  /** At the camera. */
  readonly connections: number;
  /** Clips and temporary files. */
  readonly files: number;
}

/** What a figure may be more at the end: clips begin and end, code is still being compiled. A leak of one with each
 *  reconnection is more. */
const ALLOWED: Readonly<Record<keyof Sample, number>> = {
  descriptors: 2,
  resources: 2,
  heapMb: 4,
  processes: 0,
  childDescriptors: 2,
  childRssMb: 25,
  connections: 0,
  files: 1,
};

/** @returns a sentence for each figure that is higher than it may be */
export function fellBehind(first: Sample, last: Sample): string[] {
  return (Object.keys(ALLOWED) as (keyof Sample)[])
    .filter((name) => last[name] > first[name] + ALLOWED[name])
    .map((name) => `${name} grew from ${first[name]} to ${last[name]}`);
}
