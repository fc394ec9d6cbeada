/** `scripts/bench fuzz`: odd inputs to each address of the functions host and to each queue, and whether every one of them
 *  is refused with a reason, or taken, and nothing else is disturbed. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
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
import { flag, readArguments, requireNoWords, text, whole } from '../../command/arguments.ts';
import { Refusal } from '../../command/ends.ts';
import { createRandom, type Random } from '../faults/random.ts';
import { announce, startAnswering, type StormClip, uploadClips } from '../storm/clips.ts';
import { isSettled, lookAt } from '../storm/outcome.ts';
import { type Door, doorsOf, type OddRequest } from './doors.ts';
import { type Answer, complaintAbout, knock } from './knock.ts';
import { fuzzAnswers, fuzzRequests, fuzzUnusable, holdRequests, type QueueName } from './queues.ts';

const AT_ONCE = 8;
/** Clips that wait for their answers meanwhile. */
const WITNESSES = 4;
const SETTLED_WITHIN_MS = 5 * 60_000;
/** Of each target; what comes after is of the same kinds. */
const FINDINGS_MAX = 20;
const SHOWN_CHARS = 300;

export interface Finding {
  readonly target: string;
  readonly input: string;
  readonly what: string;
}

export interface FuzzOutcome {
  readonly inputs: number;
  readonly seed: number;
  /** By target, how many inputs; of addresses, by the status of the answer. */
  readonly targets: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly findings: readonly Finding[];
}

interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  readonly only?: string | undefined;
}

const QUEUES: readonly QueueName[] = ['answers', 'requests', 'unusable answers', 'unusable requests'];
/** An instance that verbs are tried on. It is started again and again, because some of them end it. */
const VICTIM = 'victim';
const VICTIM_EVERY = 20;
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
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** @returns exit code: 1 when something was found */
export async function benchFuzz(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    inputs: whole(1, 1_000_000),
    seed: whole(1, 2 ** 31),
    only: text,
    json: flag,
  });
  requireNoWords(words);
  const { inputs = 10_000, seed = 1, only, json } = values;
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcome = await fuzz({ inputs, seed, only }, tell, signal);
  process.stdout.write(json ? `${JSON.stringify(outcome)}\n` : table(outcome));
  return outcome.findings.length === 0 ? 0 : 1;
}

export async function fuzz(
  { inputs, seed, only }: FuzzOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<FuzzOutcome> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-fuzz-'));
  const targets: Record<string, Record<string, number>> = {};
  const findings: Finding[] = [];
  const complain = (target: string) => (input: string, what: string) => {
    if (findings.filter((one) => one.target === target).length < FINDINGS_MAX)
      findings.push({ target, input: input.slice(0, SHOWN_CHARS), what });
    tell(`${target}: ${what}`);
  };
  const webhook = await startWebhook();
  const azurite = await startAzurite(dir, ['fuzz']);
  const storage = azurite.accounts['fuzz'] ?? '';
  const data = join(dir, 'host');
  mkdirSync(data);
  const keys = loadKeys(data);
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let stop = async (): Promise<void> => undefined;
  try {
    await provision(storage);
    const app = productApp({ storage, dir, webhook: webhook.address });
    const host = await startChildService<{ port: number }>({
      main: file('../../../../cloud-fn/local/functions-host/main.ts'),
      args: ['--app', app.file, '--data', data, '--host-json', app.hostJson, '--port', '0'],
      env: { ...process.env, ...app.env, AzureWebJobsStorage: storage },
    });
    stop = () => host.stop();
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
    await announce(engine, clips, createRandom(seed), signal);
    const giveBack = await holdRequests(storage, WITNESSES, signal);
    const [witness] = clips;
    if (!witness) throw new Error('there is no witness');

    const victimClip = `x/${witness.name}`;
    const startOfVictim = {
      method: 'POST',
      path: `/runtime/webhooks/durabletask/orchestrators/clip-analysis/${VICTIM}?code=${keys.durableTask}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(inputOfVictim(victimClip)),
    };
    const clip = { name: victimClip, url: witness.url.replace('/house-1/', '/x/house-1/') };
    const doors = doorsOf(keys, clip, VICTIM);
    const names = [...doors.map(({ name }) => name), ...QUEUES];
    const wanted = names.filter((name) => only === undefined || name.includes(only));
    if (wanted.length === 0)
      throw new Refusal(`--only: there is no target "${only}"; there are ${names.join(', ')}`);
    for (const door of doors.filter(({ name }) => wanted.includes(name))) {
      tell(door.name);
      targets[door.name] = await fuzzDoor(door, {
        ...{ inputs, random, startOfVictim, signal },
        complain: complain(door.name),
        send: (odd) => knock(agent, port, odd),
        isAlive: () => isAlive,
      });
    }
    for (const name of QUEUES.filter((one) => wanted.includes(one))) {
      tell(name);
      const one = { storage, inputs, random, complain: complain(name) };
      if (name === 'answers') await fuzzAnswers(one, () => isAlive);
      else if (name === 'requests') await fuzzRequests(one);
      else await fuzzUnusable(one, name);
      targets[name] = { inputs };
    }
    if (!isAlive) complain('the host')('', 'its process ended');
    else {
      await giveBack();
      if (!(await areAllJudged(storage, clips, random, signal)))
        complain('the clips that waited')('', 'not all have the right verdict');
    }
    return { inputs, seed, targets, findings };
  } finally {
    agent.destroy();
    await stop();
    await azurite.stop();
    await webhook.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Knocking {
  readonly inputs: number;
  readonly random: Random;
  readonly complain: (input: string, what: string) => void;
  readonly send: (odd: OddRequest) => Promise<Answer>;
  readonly isAlive: () => boolean;
  readonly startOfVictim: OddRequest;
  readonly signal: AbortSignal;
}

/** @returns how many answers there were of each status */
async function fuzzDoor(door: Door, knocking: Knocking): Promise<Record<string, number>> {
  const { inputs, random, complain, send, isAlive, startOfVictim, signal } = knocking;
  const statuses: Record<string, number> = {};
  const odd = Array.from({ length: inputs }, () => door.draw(random)).values();
  let sent = 0;
  const lane = async () => {
    for (const one of odd) {
      signal.throwIfAborted();
      if (!isAlive()) return;
      const shown = `${one.method} ${one.path} ${one.body}`;
      try {
        if (sent++ % VICTIM_EVERY === 0) await send(startOfVictim);
        const answer = await send(one);
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const what = complaintAbout(door, one, answer);
        if (what !== undefined) complain(shown, what);
      } catch (error) {
        complain(shown, `no answer: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return statuses;
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

function table({ targets, findings }: FuzzOutcome): string {
  const rows = Object.entries(targets).map(
    ([name, counts]) => `${name.padEnd(26)}${JSON.stringify(counts)}\n`,
  );
  return [...rows, ...findings.map(({ target, input, what }) => `${target}: ${what}\n  ${input}\n`)].join('');
}
