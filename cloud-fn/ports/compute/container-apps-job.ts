import type { ContainerAppsAPIClient } from '@azure/arm-appcontainers';
import { type ArmAccess, type ArmResource, clientOptions, createArmCompute } from './arm-compute.ts';
import type { ComputePort } from './compute.ts';

/** Of executions that are not over. `Unknown` is what a new one is for some seconds. */
const UNDER_WAY: ReadonlySet<string> = new Set(['Running', 'Processing', 'Unknown']);
/** The newest come first; older ones are over. */
const LOOKED_AT = 50;

/** The worker as a Container Apps job of the manual kind: started here, ends when its queue has been empty for a while. A job
 *  that watches the queue by itself needs nobody who starts it (`DACHA_COMPUTE=none`). */
export function createContainerAppsJob(
  access: ArmAccess,
  { subscriptionId, resourceGroup, name }: ArmResource,
  deadlineMs?: number,
): ComputePort {
  let made: ContainerAppsAPIClient | undefined;
  async function client(): Promise<ContainerAppsAPIClient> {
    const { ContainerAppsAPIClient } = await import('@azure/arm-appcontainers');
    return (made ??= new ContainerAppsAPIClient(
      await access.credential(),
      subscriptionId,
      clientOptions(access),
    ));
  }
  return createArmCompute(
    {
      what: `the job ${name}`,
      isRunning: async (abortSignal) => {
        let looked = 0;
        const { jobsExecutions } = await client();
        for await (const { status } of jobsExecutions.list(resourceGroup, name, { abortSignal })) {
          if (status !== undefined && UNDER_WAY.has(status)) return true;
          if (++looked >= LOOKED_AT) break;
        }
        return false;
      },
      start: async (abortSignal) => {
        const { jobs } = await client();
        await jobs.start(resourceGroup, name, { abortSignal }).submitted();
      },
    },
    deadlineMs,
  );
}
