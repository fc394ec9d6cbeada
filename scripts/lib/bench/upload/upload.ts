/** `scripts/bench upload`: what carrying a clip to storage costs, and what the ledger costs with many clips. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import type { Clip, Ledger } from '../../../../agent/ledger/ledger.ts';
import { createUploader } from '../../../../agent/upload/upload.ts';
import { startStorage } from '../../../../cloud-fn/local/storage/storage.ts';
import { type LedgerCost, ledgerCost } from './ledger-cost.ts';
import { decimal, flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { openBenchLedger } from '../bench-ledger.ts';
import { median } from '../motion/score.ts';
import { createSignedTickets, DEVICE } from './signed-tickets.ts';

const ROUNDS = 5;
const SIZES = [100, 10_000, 100_000] as const;
/** Longest that one round may take. */
const ROUND_WITHIN_MS = 300_000;

export interface Rounds {
  /** CPU of this process, user and system, for each clip of a round. */
  readonly ours: readonly number[];
  readonly plain: readonly number[];
}

export async function benchUpload(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { clips, bytes, json } = readOptions(args);
  const tell = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const rounds = await uploadRounds({ clips, bytes, tell, signal });
  const ledger: LedgerCost[] = [];
  for (const rows of SIZES) {
    signal.throwIfAborted();
    tell(`ledger of ${rows} clips`);
    ledger.push(ledgerCost(rows));
  }
  const result = summaryOf(rounds, ledger);
  process.stdout.write(`${json ? JSON.stringify({ clips, mb: bytes / 1e6, ...result }) : table(result)}\n`);
  return 0;
}

function readOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/bench', args, {
    clips: whole(1, 1_000),
    mb: decimal(0.1, 200),
    json: flag,
  });
  requireNoWords(words);
  return { clips: values.clips ?? 10, bytes: Math.round((values.mb ?? 6) * 1e6), json: values.json };
}

/** The same bytes to the same storage, in turns: by the uploader from a ledger, and by one PUT each. The first turn of
 *  both is not counted. */
export async function uploadRounds(options: {
  readonly clips: number;
  readonly bytes: number;
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}): Promise<Rounds> {
  const { clips, bytes, tell, signal } = options;
  const dir = mkdtempSync(join(tmpdir(), 'bench-upload-'));
  const storage = await startStorage({ dataDir: join(dir, 'storage') });
  const trusted = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...trusted, readFileSync(storage.ready.caFile, 'utf8')]);
  const log = createLog('warn', (line) => process.stderr.write(line));
  const conditions = createConditions({ clock: systemClock, log });
  const ledger = openBenchLedger(join(dir, 'agent'), { log, conditions });
  const signed = createSignedTickets(storage.ready);
  const uploader = createUploader({
    ledger,
    tickets: signed.tickets,
    conditions,
    clock: systemClock,
    log,
    deviceId: DEVICE,
    framesDir: join(dir, 'frames'),
    online: () => true,
  });
  const ours: number[] = [];
  const plain: number[] = [];
  try {
    await uploader.start();
    for (let round = 0; round <= ROUNDS; round++) {
      const sealed = Array.from({ length: round === 0 ? 1 : clips }, () => sealedClip(ledger, bytes));
      const used = await cpuOf(async () => {
        uploader.wake();
        const deadline = performance.now() + ROUND_WITHIN_MS;
        while (ledger.summary().waiting > 0) {
          signal.throwIfAborted();
          if (performance.now() > deadline)
            throw new Error(`${ledger.summary().waiting} clips wait after ${ROUND_WITHIN_MS / 1000} s`);
          await delay(20);
        }
      });
      const usedPlain = await cpuOf(async () => {
        for (const clip of sealed)
          await plainPut(signed.putUrl(`plain/${clip.clipId}.mp4`), clip.file, signal);
      });
      if (round === 0) continue;
      ours.push(used / clips);
      plain.push(usedPlain / clips);
      tell(
        `round ${round} of ${ROUNDS}: ${(used / clips).toFixed(1)} ms of CPU a clip, plain PUT ${(usedPlain / clips).toFixed(1)} ms`,
      );
    }
  } finally {
    await uploader.stop();
    ledger.close();
    await storage.stop();
    tls.setDefaultCACertificates(trusted);
    rmSync(dir, { recursive: true, force: true });
  }
  return { ours, plain };
}

function sealedClip(ledger: Ledger, bytes: number): Clip {
  const content = randomBytes(bytes);
  const clip = ledger.openClip({
    cameraId: 'bench',
    triggeredMs: Date.now(),
    clockQuality: 'synchronised',
  });
  writeFileSync(clip.partFile, content, { flush: true });
  return ledger.sealClip(clip.clipId, {
    startedMs: Date.now(),
    preRollMs: 5_000,
    durationMs: 35_000,
    bytes,
    sha256: createHash('sha256').update(content).digest('hex'),
  });
}

async function plainPut(url: string, file: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2025-11-05', 'content-type': 'video/mp4' },
    body: await readFile(file),
    signal,
  });
  const text = await response.text();
  if (response.status !== 201)
    throw new Error(`storage answered a plain PUT with ${response.status} ${text}`);
}

/** Milliseconds of CPU, user and system, that this process used meanwhile. */
async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function summaryOf({ ours, plain }: Rounds, ledger: readonly LedgerCost[]) {
  const rounded = (value: number) => Math.round(value * 1_000) / 1_000;
  const ratios = ours.map((used, round) => used / (plain[round] ?? Number.NaN));
  const first = ledger[0];
  const last = ledger.at(-1);
  const growth = Object.entries(last ?? {}).filter(([name]) => name !== 'rows');
  return {
    ratioToPlain: rounded(median(ratios) ?? Number.NaN),
    ratioSpread: [rounded(Math.min(...ratios)), rounded(Math.max(...ratios))] as const,
    cpuMsPerClip: rounded(median(ours) ?? Number.NaN),
    plainCpuMsPerClip: rounded(median(plain) ?? Number.NaN),
    ledger,
    /** The last size to the first. */
    growth: Object.fromEntries(
      growth.map(([name, value]) => [
        name.replace(/Ms$/, ''),
        rounded(value / (first?.[name as 'openMs'] ?? 0)),
      ]),
    ),
  };
}

function table(result: ReturnType<typeof summaryOf>): string {
  const { ratioToPlain, ratioSpread, cpuMsPerClip, plainCpuMsPerClip, ledger, growth } = result;
  const names = Object.keys(growth);
  const row = (cells: readonly string[]) => cells.map((cell) => cell.padStart(10)).join('');
  return [
    `${cpuMsPerClip} ms of CPU a clip, ${plainCpuMsPerClip} ms for a plain PUT of the same bytes: ` +
      `${ratioToPlain} times (${ratioSpread.join(' to ')})`,
    '',
    row(['clips', ...names]),
    ...ledger.map((one) =>
      row([String(one.rows), ...names.map((name) => one[`${name}Ms` as 'openMs'].toFixed(3))]),
    ),
    row(['times', ...names.map((name) => String(growth[name]))]),
  ].join('\n');
}
