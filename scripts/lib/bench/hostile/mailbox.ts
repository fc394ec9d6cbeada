/** A queue that feeds a trigger as the real host does, on a clock that need not be real: failed messages come again, after
 *  the last delivery they are put aside, and what a dead process had taken stays hidden for ten minutes. */
import { AppGone } from '../../../../cloud-fn/local/functions-host/app-gone.ts';
import type { HostClock } from '../../../../cloud-fn/local/functions-host/clock.ts';
import type { HostedFunction } from '../../../../cloud-fn/local/functions-host/triggers/bindings.ts';
import type { Invoke } from '../../../../cloud-fn/local/functions-host/triggers/invoke.ts';

const DELIVERIES = 5;
const AGAIN_MS = 30_000;
const HIDDEN_MS = 10 * 60_000;

export function createMailbox(clock: HostClock, putAside: (text: string) => Promise<void>) {
  let deliver: ((text: string, id: string, delivery: number) => Promise<void>) | undefined;
  let sent = 0;

  async function tryOne(text: string, id: string, delivery: number): Promise<void> {
    try {
      await deliver?.(text, id, delivery);
    } catch (error) {
      if (delivery >= DELIVERIES) await putAside(text);
      else {
        const afterMs = error instanceof AppGone ? HIDDEN_MS : AGAIN_MS;
        clock.wakeAt(clock.nowMs() + afterMs, () => void tryOne(text, id, delivery + 1));
      }
    }
  }

  return {
    /** @param atMs when it is there */
    send(text: string, atMs: number): void {
      sent += 1;
      const id = `message-${sent}`;
      clock.wakeAt(atMs, () => void tryOne(text, id, 1));
    },
    pump: (target: HostedFunction, invoke: Invoke) => ({
      start: () => {
        deliver = async (text, id, delivery) => {
          const metadata = {
            QueueTrigger: { json: JSON.stringify(text) },
            Id: { json: JSON.stringify(id) },
            DequeueCount: { int: delivery },
            instanceId: { string: id },
          };
          await invoke(target, { data: { string: text }, metadata });
        };
      },
      stop: async () => {
        deliver = undefined;
      },
    }),
  };
}
