import type { ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import { type ArmAccess, type ArmResource, clientOptions, createArmCompute } from './arm-compute.ts';
import type { ComputePort } from './compute.ts';

/** Of a group whose containers are not over. */
const UNDER_WAY: ReadonlySet<string> = new Set(['Running', 'Pending', 'Creating', 'Repairing']);

/** The worker as a group of Container Instances that the deployment has made, with `restartPolicy` Never: started here, costs
 *  nothing once its container has ended. */
export function createContainerGroup(
  access: ArmAccess,
  { subscriptionId, resourceGroup, name }: ArmResource,
  deadlineMs?: number,
): ComputePort {
  let made: ContainerInstanceManagementClient | undefined;
  async function groups() {
    const { ContainerInstanceManagementClient } = await import('@azure/arm-containerinstance');
    made ??= new ContainerInstanceManagementClient(
      await access.credential(),
      subscriptionId,
      clientOptions(access),
    );
    return made.containerGroups;
  }
  return createArmCompute(
    {
      what: `the container group ${name}`,
      isRunning: async (abortSignal) => {
        const { instanceView, provisioningState } = await (await groups()).get(resourceGroup, name, {
          abortSignal,
        });
        return UNDER_WAY.has(instanceView?.state ?? provisioningState ?? '');
      },
      start: async (abortSignal) => {
        await (await groups()).beginStart(resourceGroup, name, { abortSignal });
      },
    },
    deadlineMs,
  );
}
