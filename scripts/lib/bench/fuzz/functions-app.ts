/** The product's functions app in the local functions host, with storage of its own, and clips that wait while odd inputs
 *  come: in the end each has to get its verdict. */
import { mkdirSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import { startChildService } from '../../../../cloud-fn/local/child-service.ts';
import { loadKeys } from '../../../../cloud-fn/local/functions-host/http/keys.ts';
import { provision } from '../../../../cloud-fn/local/storage/provision.ts';
import { productApp } from '../../../../test/engine/apps.ts';
import { startAzurite } from '../../../../test/engine/azurite.ts';
import { startWebhook } from '../../../../test/engine/webhook.ts';
import { createRandom, type Random } from '../faults/random.ts';
import { announce, startAnswering, type StormClip, uploadClips } from '../storm/clips.ts';
import { isSettled, lookAt } from '../storm/outcome.ts';
import { AT_ONCE } from './endpoint-fuzz.ts';
import { functionsEndpoints, type Service } from './endpoints.ts';
import { sendRequest } from './odd-request.ts';
import { holdRequests } from './queues.ts';

/** Clips that wait for their answers meanwhile. */
const WITNESSES = 4;
const SETTLED_WITHIN_MS = 5 * 60_000;
/** An instance that verbs are tried on. It is started again and again, because some of them end it. */
export const VICTIM = 'victim';
const inputOfVictim = (blob: string) => ({
  version: 2,
  clip: {
    clip_id: '01JD3V7Q8ZK4M6N8P0R2S4T9ZZ',
    blobName: `${CONTAINER_CLIPS}/${blob}`,
    blobUrl: `https://nowhere.invalid/${blob}`,
  },
  waitMs: 600_000,
  revision: 1,
});

export interface FunctionsApp extends Service {
  /** Connection string. */
  readonly storage: string;
}

export async function startFunctionsApp(
  dir: string,
  seed: number,
  signal: AbortSignal,
): Promise<FunctionsApp> {
  const webhook = await startWebhook();
  const azurite = await startAzurite(dir, ['fuzz'], 'disk');
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let stopHost = async (): Promise<void> => undefined;
  const stop = async () => {
    agent.destroy();
    await stopHost();
    await azurite.stop();
    await webhook.stop();
  };
  try {
    const storage = azurite.accounts['fuzz'] ?? '';
    const data = join(dir, 'host');
    mkdirSync(data);
    const keys = loadKeys(data);
    await provision(storage);
    const app = productApp({ storage, dir, webhook: webhook.address });
    const host = await startChildService<{ port: number }>({
      main: fileURLToPath(new URL('../../../../cloud-fn/local/functions-host/main.ts', import.meta.url)),
      args: ['--app', app.file, '--data', data, '--host-json', app.hostJson, '--port', '0'],
      env: { ...process.env, ...app.env, AzureWebJobsStorage: storage },
    });
    stopHost = () => host.stop();
    let isAlive = true;
    void host.ended.then(() => (isAlive = false));
    const { port } = host.ready;
    const engine = {
      base: `http://127.0.0.1:${port}`,
      eventGridKey: keys.eventGrid,
      functionKey: keys.function,
    };
    const random = createRandom(seed);
    const clips = await uploadClips(storage, WITNESSES);
    await announce(engine, clips, random, signal);
    const giveBack = await holdRequests(storage, WITNESSES, signal);
    const [witness] = clips;
    if (!witness) throw new Error('there is no witness');
    const victimClip = `x/${witness.name}`;
    return {
      storage,
      endpoints: functionsEndpoints(
        keys,
        { name: victimClip, url: witness.url.replace('/house-1/', '/x/house-1/') },
        VICTIM,
      ),
      restore: [
        {
          method: 'POST',
          path: `/runtime/webhooks/durabletask/orchestrators/clip-analysis/${VICTIM}?code=${keys.durableTask}`,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(inputOfVictim(victimClip)),
        },
      ],
      send: (odd) => sendRequest(agent, port, odd),
      isAlive: () => isAlive,
      disturbed: async () => {
        await giveBack();
        return (await areAllJudged(storage, clips, random, signal))
          ? undefined
          : 'not all clips that waited have the right verdict';
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whether the clips that waited get their answers and their verdicts. */
async function areAllJudged(
  storage: string,
  clips: readonly StormClip[],
  random: Random,
  signal: AbortSignal,
): Promise<boolean> {
  const answering = startAnswering(storage, random);
  try {
    for (const endMs = performance.now() + SETTLED_WITHIN_MS; performance.now() < endMs; await delay(500)) {
      signal.throwIfAborted();
      const { verdicts } = await lookAt(storage, clips);
      if (isSettled(clips, { verdicts, open: 0 })) return true;
    }
    return false;
  } finally {
    await answering.stop();
  }
}
