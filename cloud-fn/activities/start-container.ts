import type { ComputePort, WorkerState } from '../ports/compute/compute.ts';

/** Makes sure that a worker runs. Fire and forget: it does not wait for the work. Again: changes nothing. */
export function createStartContainer({ compute }: { readonly compute: Pick<ComputePort, 'ensureWorker'> }) {
  return async (): Promise<{ worker: WorkerState }> => ({ worker: await compute.ensureWorker() });
}
