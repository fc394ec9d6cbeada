/** What a month of the cloud costs, and where its design stops. Prices are a reader's own; what a clip needs is ours. */
import { readFileSync } from 'node:fs';
import { Refusal } from '../command/ends.ts';
import { whyNot } from '../command/folders.ts';

export interface Prices {
  readonly currency: string;
  readonly asOf: string;
  readonly hub: {
    readonly unitMonth: number;
    readonly messagesDayPerUnit: number;
    readonly unitsMax: number;
  };
  readonly worker: {
    readonly vcpuSecond: number;
    readonly gibSecond: number;
    readonly freeVcpuSeconds: number;
    readonly freeGibSeconds: number;
  };
  readonly functions: {
    readonly gbSecond: number;
    readonly millionExecutions: number;
    readonly freeGbSeconds: number;
    readonly freeExecutions: number;
  };
  readonly storage: {
    readonly gbMonth: number;
    readonly tenThousandWrites: number;
    readonly tenThousandReads: number;
    readonly tenThousandQueueOperations: number;
  };
  readonly registry: { readonly month: number };
  readonly logs: { readonly gb: number; readonly freeGb: number };
}

/** What one clip and one house need. A clip of 40 s at 2 Mbit/s; the rest as the code does it. */
export const NEEDS = {
  clipMb: 10,
  /** Kept for a year. */
  keptDays: 365,
  /** Start and end of the upload, three events, the verdict. */
  messagesPerClip: 6,
  /** 96 heartbeats, 24 reports of the twin, and changes of state. */
  messagesPerHouseDay: 150,
  /** Blocks of 1 MiB and their list, tags, verdict and picture, notes of the app, histories of Durable Functions. */
  writesPerClip: 45,
  readsPerClip: 40,
  /** Requests, answers, leases, and the queues of Durable Functions. */
  queueOperationsPerClip: 60,
  /** Four seconds of processor for the look, and what a machine in the cloud is slower. */
  workerSecondsPerClip: 12,
  /** A start of 30 s and an end of 15 s (public reports), and ten seconds of waiting for more. */
  workerSecondsPerStart: 55,
  workerVcpu: 2,
  workerGib: 4,
  /** The trigger, nine steps, and the orchestrator between them, at 0.5 GB. */
  executionsPerClip: 22,
  gbSecondsPerClip: 2.5,
  /** The timer that looks after clips, twice a minute. */
  executionsDay: 2_880,
  logMbPerClip: 0.02,
} as const;

export interface MonthOfCosts {
  readonly clipsDay: number;
  readonly houses: number;
  readonly messagesDay: number;
  readonly hubUnits: number;
  readonly workerHours: number;
  readonly storageGb: number;
  readonly transactionsMonth: number;
  readonly parts: {
    readonly hub: number;
    readonly worker: number;
    readonly functions: number;
    readonly storage: number;
    readonly rest: number;
  };
  readonly total: number;
  readonly perHouse: number;
  /** Where this stops, if it does. */
  readonly stops: readonly string[];
}

const DAYS = 30;
const TEN_THOUSAND = 10_000;
const MILLION = 1_000_000;
/** What one task hub of Durable Functions on Azure Storage is taken to carry; not measured. */
const CLIPS_PER_SECOND_MAX = 20;
const JOB_EXECUTIONS_MAX = 4;

/** @param clipsDay of each house */
export function monthOf(clipsDay: number, houses: number, prices: Prices): MonthOfCosts {
  const clips = clipsDay * houses;
  const messagesDay = clips * NEEDS.messagesPerClip + houses * NEEDS.messagesPerHouseDay;
  const hubUnits = Math.max(1, Math.ceil(messagesDay / prices.hub.messagesDayPerUnit));
  // Clips that come while a worker still waits need no start of their own.
  const startsDay = Math.min(clips, Math.floor(86_400 / NEEDS.workerSecondsPerStart) * JOB_EXECUTIONS_MAX);
  const workerSeconds = DAYS * (clips * NEEDS.workerSecondsPerClip + startsDay * NEEDS.workerSecondsPerStart);
  const storageGb = (clips * NEEDS.clipMb * NEEDS.keptDays) / 1_000;
  const executions = DAYS * (clips * NEEDS.executionsPerClip + NEEDS.executionsDay);
  const transactionsMonth =
    DAYS * clips * (NEEDS.writesPerClip + NEEDS.readsPerClip + NEEDS.queueOperationsPerClip);
  const above = (amount: number, free: number) => Math.max(0, amount - free);
  const { worker, functions, storage, logs } = prices;
  const parts = {
    hub: hubUnits * prices.hub.unitMonth,
    worker:
      above(workerSeconds * NEEDS.workerVcpu, worker.freeVcpuSeconds) * worker.vcpuSecond +
      above(workerSeconds * NEEDS.workerGib, worker.freeGibSeconds) * worker.gibSecond,
    functions:
      above(DAYS * clips * NEEDS.gbSecondsPerClip, functions.freeGbSeconds) * functions.gbSecond +
      (above(executions, functions.freeExecutions) / MILLION) * functions.millionExecutions,
    storage:
      storageGb * storage.gbMonth +
      ((DAYS * clips) / TEN_THOUSAND) *
        (NEEDS.writesPerClip * storage.tenThousandWrites +
          NEEDS.readsPerClip * storage.tenThousandReads +
          NEEDS.queueOperationsPerClip * storage.tenThousandQueueOperations),
    rest: prices.registry.month + above((DAYS * clips * NEEDS.logMbPerClip) / 1_000, logs.freeGb) * logs.gb,
  };
  const total = Object.values(parts).reduce((sum, one) => sum + one, 0);
  return {
    clipsDay,
    houses,
    messagesDay,
    hubUnits,
    workerHours: workerSeconds / 3_600,
    storageGb,
    transactionsMonth,
    parts,
    total,
    perHouse: total / houses,
    stops: stopsOf(clips, hubUnits, prices),
  };
}

function stopsOf(clips: number, hubUnits: number, prices: Prices): string[] {
  const busySeconds = clips * NEEDS.workerSecondsPerClip;
  return [
    hubUnits > prices.hub.unitsMax ? 'more than one hub' : undefined,
    busySeconds > JOB_EXECUTIONS_MAX * 86_400 ? 'more than four workers at once' : undefined,
    clips / 86_400 > CLIPS_PER_SECOND_MAX ? 'more than one task hub' : undefined,
  ].filter((one) => one !== undefined);
}

/** @throws Refusal when the file is none of prices */
export function readPrices(file: string): Prices {
  let prices: unknown;
  try {
    prices = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : whyNot(error);
    throw new Refusal(`--prices ${file} cannot be read: ${why}`);
  }
  const own = JSON.parse(readFileSync(PRICES, 'utf8')) as Prices;
  for (const [part, value] of Object.entries(own)) {
    if (part === 'note' || part === 'sources') continue;
    const given = (prices as Readonly<Record<string, unknown>> | null)?.[part];
    if (typeof value === 'string' ? typeof given !== 'string' : !hasNumbers(given, value as object))
      throw new Refusal(`--prices ${file}: "${part}" is not as in cloud-fn/infra/prices.json`);
  }
  return prices as Prices;
}

export const PRICES = new URL('../../../cloud-fn/infra/prices.json', import.meta.url).pathname;

const hasNumbers = (given: unknown, like: object): boolean =>
  typeof given === 'object' &&
  given !== null &&
  Object.keys(like).every((key) => {
    const value = (given as Readonly<Record<string, unknown>>)[key];
    return typeof value === 'number' && value >= 0;
  });

const CLIPS_A_DAY = [10, 100, 1_000] as const;
const HOUSES = [1, 100, 10_000] as const;

/** The nine cases of docs/scale.md. */
export const allMonths = (prices: Prices): MonthOfCosts[] =>
  HOUSES.flatMap((houses) => CLIPS_A_DAY.map((clipsDay) => monthOf(clipsDay, houses, prices)));

const rounded = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 0 : 1);

/** As a table of a page. */
export function costsTable(months: readonly MonthOfCosts[], { currency }: Prices): string {
  const head = `| houses | clips a day, each | messages a day | hub units | worker hours | stored GB | hub | worker | functions | storage | rest | ${currency} a month | each house | needs |`;
  const rows = months.map((one) => {
    const { hub, worker, functions, storage, rest } = one.parts;
    const figures = [one.messagesDay, one.hubUnits, one.workerHours, one.storageGb, hub, worker, functions];
    const cells = [...figures, storage, rest, one.total, one.perHouse].map(rounded);
    return `| ${one.houses.toLocaleString('en-US')} | ${one.clipsDay.toLocaleString('en-US')} | ${cells.join(' | ')} | ${one.stops.join('; ') || '—'} |`;
  });
  return [head, `|${'---|'.repeat(14)}`, ...rows].join('\n');
}
