import { startMarkerPlace } from '../../../cloud-fn/ports/instance-places.ts';
import { json } from '../../../cloud-fn/ports/storage.ts';
import type { InstanceNow, Runtime } from '../../../cloud-fn/keeper/clip-facts.ts';
import type { createFakeStorage } from './storage-port.ts';

/** A runtime whose instances a test moves by hand. Starting writes the marker, as the real starter does. */
export function createFakeRuntime(storage: ReturnType<typeof createFakeStorage>) {
  const instances = new Map<string, InstanceNow>();
  const fake = {
    started: [] as { instanceId: string; revision: number; asked: number }[],
    set(instanceId: string, status: string, output: unknown = null) {
      instances.set(instanceId, { status, output });
    },
    forget: (instanceId: string) => void instances.delete(instanceId),
    statusOf: (instanceId: string) => instances.get(instanceId)?.status,
  };
  const runtime: Runtime = {
    async statusOf(instanceId) {
      return instances.get(instanceId);
    },
    async start(instanceId, { record, revision }) {
      const marker = json({ state: 'started', input: { ...record, revision } });
      if (!(await storage.port.createBlob(startMarkerPlace(instanceId), marker))) return;
      fake.started.push({ instanceId, revision, asked: record.asked });
      fake.set(instanceId, 'Running');
    },
    async terminate(instanceId, reason) {
      fake.set(instanceId, 'Terminated', reason);
    },
  };
  return Object.assign(fake, { runtime });
}
