import type { DurableClient, DurableOrchestrationStatus } from 'durable-functions';

export type Statuses = Pick<DurableClient, 'getStatus'>;

const FINISHED: readonly string[] = ['Completed', 'Failed', 'Terminated', 'Canceled'];

/** Undefined when there is no such instance. The client says so only in words. */
export async function readStatus(
  client: Statuses,
  instanceId: string,
): Promise<DurableOrchestrationStatus | undefined> {
  try {
    return await client.getStatus(instanceId, { showInput: true });
  } catch (error) {
    if (/\b404\b/.test((error as Error).message)) return undefined;
    throw error;
  }
}

export const isFinished = (status: DurableOrchestrationStatus): boolean =>
  FINISHED.includes(status.runtimeStatus);
