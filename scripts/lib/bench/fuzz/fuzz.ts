/** `scripts/bench fuzz`: odd inputs to each address of the local cloud and to each queue, and whether every one of them is
 *  refused with a reason, or taken, and nothing else is disturbed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flag, readArguments, requireNoWords, text, whole } from '../../command/arguments.ts';
import { Refusal } from '../../command/ends.ts';
import { createRandom } from '../faults/random.ts';
import { fuzzEndpoint } from './endpoint-fuzz.ts';
import { functionsEndpoints, type Service } from './endpoints.ts';
import { startFunctionsApp, VICTIM } from './functions-app.ts';
import { hubEndpoints } from './hub-endpoints.ts';
import { startHub, startStorageService } from './neighbours.ts';
import { fuzzQueue, QUEUES } from './queues.ts';
import { storageEndpoints } from './storage-endpoints.ts';

/** Of each target; what comes after is of the same kinds. */
const FINDINGS_MAX = 20;
const SHOWN_CHARS = 300;
const RESTORE_EVERY = 20;

export interface Finding {
  readonly target: string;
  readonly input: string;
  readonly what: string;
}

export interface FuzzOutcome {
  readonly inputs: number;
  readonly seed: number;
  readonly seconds: number;
  /** By target, how many inputs; of addresses, by the status of the answer. */
  readonly targets: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly findings: readonly Finding[];
}

interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  readonly only?: string | undefined;
}

interface FuzzedService {
  readonly name: string;
  readonly targets: readonly string[];
  readonly start: (signal: AbortSignal) => Promise<Service>;
}

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

/** The services beside each other; the targets of one in turn. */
export async function fuzz(
  { inputs, seed, only }: FuzzOptions,
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<FuzzOutcome> {
  const startedMs = performance.now();
  const dir = mkdtempSync(join(tmpdir(), 'bench-fuzz-'));
  const targets: Record<string, Record<string, number>> = {};
  const findings: Finding[] = [];
  const complain = (target: string) => (input: string, what: string) => {
    if (findings.filter((one) => one.target === target).length < FINDINGS_MAX)
      findings.push({ target, input: input.slice(0, SHOWN_CHARS), what });
    tell(`${target}: ${what}`);
  };
  const isWanted = (name: string) => only === undefined || name.includes(only);
  const services = servicesIn(dir, seed);
  const names = services.flatMap((service) => service.targets);
  if (!names.some(isWanted))
    throw new Refusal(`--only: there is no target "${only}"; there are ${names.join(', ')}`);

  async function fuzzService({ name, targets: all, start }: FuzzedService): Promise<void> {
    const wanted = all.filter(isWanted);
    if (wanted.length === 0) return;
    const service = await start(signal);
    try {
      const { send, isAlive, restore } = service;
      for (const target of wanted) {
        const beganMs = performance.now();
        const endpoint = service.endpoints.find((one) => one.name === target);
        // The same inputs whichever targets come before.
        const one = {
          inputs,
          random: createRandom(seed + names.indexOf(target)),
          complain: complain(target),
        };
        const prepare = { every: RESTORE_EVERY, with: restore };
        try {
          const queue = QUEUES.find((name) => name === target);
          if (endpoint)
            targets[target] = await fuzzEndpoint(endpoint, { ...one, send, isAlive, prepare, signal });
          else if (queue)
            targets[target] = await fuzzQueue(queue, {
              ...one,
              storage: service.storage ?? '',
              isAlive,
              signal,
            });
        } catch (error) {
          signal.throwIfAborted();
          complain(target)('', `broke off: ${(error as Error).message}`);
        }
        tell(`${target}: ${Math.round((performance.now() - beganMs) / 1_000)} s`);
      }
      if (!isAlive()) complain(name)('', 'its process ended');
      else {
        const disturbed = await service.disturbed();
        if (disturbed !== undefined) complain(name)('', disturbed);
      }
    } finally {
      await service.stop();
    }
  }

  try {
    await Promise.all(services.map(fuzzService));
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    return { inputs, seed, seconds, targets, findings };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function servicesIn(dir: string, seed: number): readonly FuzzedService[] {
  const noKeys = { master: '', function: '', durableTask: '', eventGrid: '', rpc: '' };
  const endpoints = {
    functions: functionsEndpoints(noKeys, { name: '', url: '' }, VICTIM),
    hub: hubEndpoints('', { service: '', device: '' }),
    storage: storageEndpoints(''),
  };
  const namesOf = (of: keyof typeof endpoints) => endpoints[of].map(({ name }) => name);
  return [
    {
      name: 'the functions host',
      targets: [...namesOf('functions'), ...QUEUES],
      start: (signal) => startFunctionsApp(dir, seed, signal),
    },
    { name: 'the IoT hub', targets: namesOf('hub'), start: () => startHub(dir) },
    { name: 'storage', targets: namesOf('storage'), start: () => startStorageService(dir) },
  ];
}

function table({ seconds, targets, findings }: FuzzOutcome): string {
  const rows = Object.entries(targets).map(
    ([name, counts]) => `${name.padEnd(26)}${JSON.stringify(counts)}\n`,
  );
  const found = findings.map(({ target, input, what }) => `${target}: ${what}\n  ${input}\n`);
  return [...rows, `${'seconds'.padEnd(26)}${seconds}\n`, ...found].join('');
}
