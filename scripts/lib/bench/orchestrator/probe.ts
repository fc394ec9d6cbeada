/** A thread of its own: asks for an instance's status again and again, and measures the answers. What the load generator
 *  does meanwhile does not hold it up. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const EVERY_MS = 10;
const ANSWER_WITHIN_MS = 60_000;
const { address } = workerData as { readonly address: string };
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const tookMs: number[] = [];
const over = new AbortController();

function ask(): Promise<number> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const asking = request(address, { agent, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(performance.now() - startedMs));
    });
    asking.once('error', reject);
    asking.end();
  });
}

parentPort?.once('message', () => over.abort());
// The first opens the connection.
await ask();
while (!over.signal.aborted) {
  tookMs.push(await ask());
  await delay(EVERY_MS);
}
agent.destroy();
parentPort?.postMessage(tookMs);
