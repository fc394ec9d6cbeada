import { PortFailure } from '../../../cloud-fn/ports/port-failure.ts';
import type { ComputePort } from '../../../cloud-fn/ports/compute/compute.ts';

/** Compute that starts nothing. `failures` calls fail first. */
export function createFakeCompute(failures = 0) {
  const fake = { asked: 0, stopped: false };
  const port: ComputePort = {
    async ensureWorker() {
      fake.asked += 1;
      if (fake.asked <= failures) throw new PortFailure('transient', 'compute.fake', 'no worker today');
      return fake.asked === failures + 1 ? 'started' : 'running';
    },
    async stop() {
      fake.stopped = true;
    },
  };
  return Object.assign(fake, { port });
}
