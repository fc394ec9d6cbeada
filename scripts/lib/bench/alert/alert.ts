/** `scripts/bench alert`: how long after a trigger each stage of a clip is reached, from the house to the cloud and back. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flag, readArguments, requireNoWords, whole } from '../../command/arguments.ts';
import { readTimeline, type Stages, stagesOf } from './stages.ts';

const RUN = join(import.meta.dirname, '../../../run');
/** For one event, the start of every process included. */
const EVENT_S = 420;
/** What the child may take to end beyond that, before it is killed. */
const GRACE_MS = 60_000;

/** @returns exit code: 1 when an event ended without a verdict */
export async function benchAlert(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    events: whole(1, 100),
    'post-roll': whole(1, 120),
    json: flag,
  });
  requireNoWords(words);
  const { events = 10, 'post-roll': postRollS = 30, json } = values;
  const dir = await mkdtemp(join(tmpdir(), 'dachawatch-bench-alert-'));
  const timelines = [];
  let failed = 0;
  try {
    for (let event = 1; event <= events; event++) {
      const { stdout, said } = await runOnce(dir, postRollS, signal);
      signal.throwIfAborted();
      const timeline = readTimeline(stdout);
      if (timeline) timelines.push(timeline);
      else failed++;
      const what = timeline ? `verdict after ${timeline.triggerToVerdictMs} ms` : `no verdict: ${said}`;
      process.stderr.write(`event ${event} of ${events}: ${what}\n`);
    }
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
  const outcome = { events, failed, postRollS, worker: 'started for each event', ...stagesOf(timelines) };
  process.stdout.write(`${json ? JSON.stringify(outcome) : table(outcome, failed)}\n`);
  return failed > 0 ? 1 : 0;
}

/** One event: the whole product starts, sees somebody, and ends with the verdict. */
async function runOnce(dir: string, postRollS: number, signal: AbortSignal) {
  const child = spawn(
    RUN,
    [
      ...['--until-verdict', '--json', '--port', '0', '--data', dir],
      ...['--timeout', `${EVENT_S}`, '--post-roll', `${postRollS}`],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const end = () => void child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  const tooLate = setTimeout(() => void child.kill('SIGKILL'), EVENT_S * 1_000 + GRACE_MS);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-2_000)));
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
  } finally {
    clearTimeout(tooLate);
    signal.removeEventListener('abort', end);
  }
  return { stdout, said: stderr.trim().split('\n').at(-1) ?? '' };
}

function table(stages: Stages, failed: number): string {
  const lines = Object.entries({
    sealed: stages.triggerToSealedMs,
    uploaded: stages.triggerToUploadedMs,
    analysed: stages.triggerToAnalysedMs,
    'verdict in the house': stages.triggerToVerdictMs,
  }).map(
    ([name, figure]) =>
      `${name.padEnd(22)}${figure ? `${figure.median} ms median, ${figure.worst} ms at worst` : '-'}`,
  );
  return [...lines, `without a verdict     ${failed}`].join('\n');
}
