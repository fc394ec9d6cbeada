/** Storage, which is killed and comes back, at other ports than before. */
import type { ChildService } from '../../../../../cloud-fn/local/child-service.ts';
import {
  startStorage,
  type StorageOptions,
  type StorageReady,
} from '../../../../../cloud-fn/local/storage/storage.ts';

export interface StorageProcess {
  /** What it said when it was last ready. */
  account(): StorageReady;
  /** Starts it when it does not run. */
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it for the first time. */
export async function startStorageProcess(options: StorageOptions): Promise<StorageProcess> {
  let running: ChildService<StorageReady> | undefined = await startStorage(options);
  let account = running.ready;
  return {
    account: () => account,
    async start() {
      running ??= await startStorage(options);
      account = running.ready;
    },
    async kill() {
      const one = running;
      running = undefined;
      await one?.kill();
    },
    stop: async () => running?.stop(),
  };
}
