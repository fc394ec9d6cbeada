/** Analyses files on this machine exactly as the worker does, without any cloud. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { analyseClip, type Analysis } from './analysis/analyse-clip.ts';
import { ONLY_THIS_FILE } from './analysis/run-media-tool.ts';
import { DEFAULT_RATE_FPS, STRATEGIES } from './analysis/strategy.ts';
import { ClipProblem } from './clip-problem.ts';
import { WrongWeights } from './models/manifest.ts';
import { NoModel, openDetector, secondDetector } from './detectors/open-detector.ts';
import { modelsDir } from './settings.ts';

const HELP = `node cloud-fn/yolo/analyse-file.ts FILE... [options]
Says what is in a clip or a picture, as the YOLO worker would.

  --json             one JSON line per file: the file and the worker's details
  --strategy NAME    ${STRATEGIES.join(', ')} (default fixed-rate)
  --fps N            frames per second of fixed-rate (default ${DEFAULT_RATE_FPS})
  --frame OUT.jpg    write the annotated best frame there (one FILE only)
  --model NAME       these weights, not the best present
  --models DIR       folder of the weights (default: where scripts/models keeps them)
`;

/** Pictures too: the files are the user's own, not somebody's upload. */
const CLIPS_AND_PICTURES = [
  ...ONLY_THIS_FILE.slice(0, -1),
  `${ONLY_THIS_FILE.at(-1)},image2,jpeg_pipe,png_pipe`,
];
const DEADLINE_MS = 3_600_000;

const out = (line: string) => process.stdout.write(`${line}\n`);
const complain = (line: string) => process.stderr.write(`analyse-file: ${line}\n`);

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      json: { type: 'boolean' },
      strategy: { type: 'string', default: 'fixed-rate' },
      fps: { type: 'string', default: String(DEFAULT_RATE_FPS) },
      frame: { type: 'string' },
      model: { type: 'string' },
      models: { type: 'string' },
    },
  });
  const strategy = STRATEGIES.find((name) => name === values.strategy);
  const rateFps = Number(values.fps);
  if (values.help) return undefined;
  if (!strategy) throw new Error(`--strategy is one of ${STRATEGIES.join(', ')}`);
  if (!(rateFps > 0 && rateFps <= 60)) throw new Error('--fps is a number above 0, at most 60');
  if (positionals.length === 0) throw new Error('name a file; --help says more');
  if (values.frame !== undefined && positionals.length > 1)
    throw new Error('--frame goes with one file only');
  return { ...values, strategy, rateFps, files: positionals };
}

function describe(file: string, { details }: Analysis): string {
  const { decoded, analysed } = details.frames;
  const { coverage } = details;
  const seen = details.detections.map(
    ({ label, count_max, confidence_max, frames, first_ms, last_ms }) =>
      `  ${label.padEnd(11)} ${(confidence_max * 100).toFixed(0).padStart(3)}%  up to ${count_max} at once, ` +
      `in ${frames} of ${analysed} frames, ${first_ms / 1000} s to ${last_ms / 1000} s`,
  );
  return [
    `${file}: ${seen.length > 0 ? '' : 'nothing to report, '}${decoded} frames decoded, ${analysed} analysed, ` +
      `${details.cpu_ms} ms of CPU, ${details.model.name}`,
    ...(coverage && coverage.seen_ms < coverage.expected_ms
      ? [`  only ${coverage.seen_ms / 1000} of ${coverage.expected_ms / 1000} s could be seen`]
      : []),
    ...seen,
  ].join('\n');
}

async function main(): Promise<number> {
  let given: ReturnType<typeof options>;
  try {
    given = options();
  } catch (error) {
    complain((error as Error).message);
    return 2;
  }
  if (!given) {
    out(HELP.trimEnd());
    return 0;
  }
  const detector = await openDetector(given.models ?? modelsDir(), { name: given.model, warn: complain });
  const second = secondDetector(given.models ?? modelsDir(), detector.model.name);
  let failed = 0;
  for (const file of given.files) {
    try {
      const analysis = await analyseClip(file, detector, {
        strategy: given.strategy,
        rateFps: given.rateFps,
        signal: AbortSignal.timeout(DEADLINE_MS),
        deadlineMs: DEADLINE_MS,
        second,
        whitelist: CLIPS_AND_PICTURES,
      });
      const { bestFrame, details } = analysis;
      if (given.frame !== undefined && bestFrame) writeFileSync(given.frame, bestFrame.jpeg);
      out(
        given.json
          ? JSON.stringify({ file, ...details, best_frame_ms: bestFrame?.atMs ?? null })
          : describe(file, analysis),
      );
    } catch (error) {
      if (!(error instanceof ClipProblem)) throw error;
      complain(`${file}: ${error.message}`);
      failed++;
    }
  }
  await detector.close();
  await second?.close();
  return failed > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof NoModel || error instanceof WrongWeights)) throw error;
  complain(error.message);
  process.exitCode = 1;
}
