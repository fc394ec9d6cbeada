/** Where the YOLO worker runs. */
export interface ComputePort {
  /** Makes sure that a worker runs or will run for a request that is about to be queued. Does not wait for the
   *  work. Called again for the same instance it changes nothing.
   *  @throws PortFailure transient when none could be started */
  ensureWorker(): Promise<WorkerState>;
  /** Ends what this process started. */
  stop(): Promise<void>;
}

/** `started`: by this call. `running`: it already ran. `elsewhere`: somebody else starts workers, like a
 *  container apps job that watches the queue. */
export type WorkerState = 'started' | 'running' | 'elsewhere';

/** Workers are started by somebody else. */
export const elsewhereCompute: ComputePort = {
  ensureWorker: async () => 'elsewhere',
  stop: async () => {},
};
