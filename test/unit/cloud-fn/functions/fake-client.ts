import type { DurableOrchestrationStatus, StartNewOptions } from 'durable-functions';

/** A durable client that keeps instances in a map and speaks as the real one does: an unknown instance is an error
 *  that says 404; a running one cannot be started again; a finished one is REPLACED. */
export function createFakeClient() {
  const instances = new Map<string, Partial<DurableOrchestrationStatus>>();
  const fake = {
    started: [] as { instanceId: string; input: unknown }[],
    raised: [] as { instanceId: string; event: string; payload: unknown }[],
    /** Called before every start; throws to make it fail. */
    beforeStart: async (): Promise<void> => {},
    set(instanceId: string, runtimeStatus: string, more: object = {}) {
      instances.set(instanceId, { instanceId, runtimeStatus, ...more } as never);
    },
    async getStatus(instanceId: string, { showInput = true }: { showInput?: boolean } = {}) {
      const found = instances.get(instanceId);
      if (!found)
        throw new Error('DurableClient error: Durable Functions extension replied with HTTP 404 response.');
      return { ...found, ...(showInput ? {} : { input: null }) } as DurableOrchestrationStatus;
    },
    async startNew(_name: string, { instanceId = '', input }: StartNewOptions = {}) {
      await fake.beforeStart();
      const running: string | undefined = instances.get(instanceId)?.runtimeStatus;
      if (running === 'Running' || running === 'Pending')
        throw new Error('The operation failed with an unexpected status code: 409.');
      fake.set(instanceId, 'Running', { input, customStatus: { step: 'waiting' } });
      fake.started.push({ instanceId, input });
      return instanceId;
    },
    async raiseEvent(instanceId: string, event: string, payload: unknown) {
      fake.raised.push({ instanceId, event, payload });
    },
  };
  return fake;
}
