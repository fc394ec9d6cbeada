/** `scripts/bench orchestrator`: what an orchestration costs in our local functions host, and whether it costs more when
 *  there are ten times as many. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { load, type Load } from './load.ts';

export interface OrchestratorCost extends Load {
  readonly tenfold: Load;
  /** Of the cost of one instance, from `instances` to ten times as many. */
  readonly growth: number;
}

export async function benchOrchestrator(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    instances: whole(10, 10_000),
    json: flag,
  });
  requireNoWords(words);
  const { instances = 1_000, json } = values;
  const measured = async (count: number) => {
    process.stderr.write(`${count} instances\n`);
    const dir = mkdtempSync(join(tmpdir(), 'bench-orchestrator-'));
    try {
      return await load(dir, count, signal);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };
  const one = await measured(instances);
  const tenfold = await measured(instances * 10);
  const growth = Math.round((tenfold.cpuMsPerInstance / one.cpuMsPerInstance) * 100) / 100;
  const cost: OrchestratorCost = { ...one, tenfold, growth };
  process.stdout.write(json ? `${JSON.stringify(cost)}\n` : table(cost));
  return 0;
}

function table({ tenfold, growth, ...one }: OrchestratorCost): string {
  const rows = Object.keys(one).map(
    (name) =>
      `${name.padEnd(18)}${String(one[name as keyof Load]).padStart(10)}${String(tenfold[name as keyof Load]).padStart(10)}\n`,
  );
  return `${rows.join('')}${'growth'.padEnd(18)}${String(growth).padStart(10)}\n`;
}
