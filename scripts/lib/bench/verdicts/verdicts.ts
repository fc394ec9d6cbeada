/** `scripts/bench verdicts`: what the product says about labelled clips, and whether it is right. */
import { ANALYSIS_DEADLINE_MS } from '@dachawatch/contracts';
import { decideVerdict } from '../../../../cloud-fn/orchestrators/decide-verdict.ts';
import { analyseClip } from '../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { STRATEGIES } from '../../../../cloud-fn/yolo/analysis/strategy.ts';
import { ClipProblem } from '../../../../cloud-fn/yolo/clip-problem.ts';
import type { Detector, SecondDetector } from '../../../../cloud-fn/yolo/detectors/detector.ts';
import { openDetector, secondDetector } from '../../../../cloud-fn/yolo/detectors/open-detector.ts';
import { modelsDir } from '../../../../cloud-fn/yolo/settings.ts';
import { choice, flag, readArguments, requireNoWords, text } from '../../command/arguments.ts';
import { Refusal } from '../../command/ends.ts';
import { HALVES, type LabelledClip, readLabelledClips, type VerdictName } from './labelled-clips.ts';

export interface Row {
  readonly file: string;
  readonly expected: VerdictName;
  readonly acceptable: readonly VerdictName[];
  readonly verdict: VerdictName;
  readonly reason: string;
  readonly cpuMs: number;
}

const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

export async function benchVerdicts(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  const clips = readLabelledClips(options.manifest, options);
  const detector = await openDetector(options.models ?? modelsDir(), { name: options.model, warn: tell });
  const second = secondDetector(options.models ?? modelsDir(), detector.model.name);
  if (!second) tell('no second detector is asked: its weights are not there');
  const rows: Row[] = [];
  try {
    for (const clip of clips) {
      signal.throwIfAborted();
      const row = await judged(clip, detector, { strategy: options.strategy, second, signal });
      tell(`${isRight(row) ? 'right' : 'WRONG'} ${row.file}: ${row.verdict}, ${row.reason} ${row.cpuMs} ms`);
      rows.push(row);
    }
  } finally {
    await detector.close();
    await second?.close();
  }
  process.stdout.write(`${options.json ? JSON.stringify(summaryOf(rows)) : table(rows)}\n`);
  return 0;
}

function readOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/bench', args, {
    manifest: text,
    half: choice(HALVES),
    only: text,
    strategy: choice(STRATEGIES),
    model: text,
    models: text,
    json: flag,
  });
  requireNoWords(words);
  const { manifest } = values;
  if (manifest === undefined) throw new Refusal('verdicts needs --manifest FILE with the labelled clips');
  return { ...values, manifest, strategy: values.strategy ?? ('fixed-rate' as const) };
}

/** One clip by the worker's own path, and what the orchestration makes of its answer. */
async function judged(
  { file, path, expected, acceptable }: LabelledClip,
  detector: Detector,
  options: {
    readonly strategy: (typeof STRATEGIES)[number];
    readonly second: SecondDetector | undefined;
    readonly signal: AbortSignal;
  },
): Promise<Row> {
  const answer = await analyseClip(path, detector, {
    ...options,
    deadlineMs: ANALYSIS_DEADLINE_MS,
  }).then(
    ({ details }) => ({ status: 'PROCESSED' as const, details, cpuMs: details.cpu_ms }),
    (error: unknown) => {
      if (!(error instanceof ClipProblem)) throw error;
      const { code, message } = error;
      return { status: 'FAILED' as const, details: { error: { code, message } }, cpuMs: 0 };
    },
  );
  const { cpuMs, ...result } = answer;
  const { verdict, reason } = decideVerdict({ ...result, stop_timestamp: new Date().toISOString() });
  return { file, expected, acceptable, verdict, reason, cpuMs };
}

const isRight = ({ verdict, acceptable }: Row): boolean => acceptable.includes(verdict);

/** `right` is a share. A person is false where nobody was, and missed where somebody was and the verdict says otherwise. */
export function summaryOf(rows: readonly Row[]) {
  return {
    clips: rows.length,
    right: Math.round((rows.filter(isRight).length / rows.length) * 10_000) / 10_000,
    falsePersons: rows.filter((row) => row.verdict === 'person' && !isRight(row)).length,
    missedPersons: rows.filter((row) => row.expected === 'person' && !isRight(row)).length,
    cpuMsPerClip: Math.round(rows.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / rows.length),
    rows,
  };
}

function table(rows: readonly Row[]): string {
  const { clips, right, falsePersons, missedPersons, cpuMsPerClip } = summaryOf(rows);
  const width = Math.max(...rows.map(({ file }) => file.length));
  return [
    ...rows.map((row) =>
      [
        isRight(row) ? '     ' : 'WRONG',
        row.file.padEnd(width),
        row.expected.padEnd(9),
        row.verdict.padEnd(9),
        String(row.cpuMs).padStart(6),
        row.reason,
      ].join('  '),
    ),
    '',
    `${(right * 100).toFixed(1)} % of ${clips} clips right, ${falsePersons} false persons, ${missedPersons} missed persons, ` +
      `${cpuMsPerClip} ms of CPU a clip`,
  ].join('\n');
}
