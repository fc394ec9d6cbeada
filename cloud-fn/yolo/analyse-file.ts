/** Analyses files on this machine exactly as the worker does, without any cloud. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { analyseClip, type Analysis } from './analysis/analyse-clip.ts';
import { CLIPS_AND_PICTURES } from './analysis/run-media-tool.ts';
import { DEFAULT_RATE_FPS, STRATEGIES } from './analysis/strategy.ts';
import { ClipProblem } from './clip-problem.ts';
import { WrongWeights } from './models/manifest.ts';
import { NoModel, openDetector, secondDetector } from './detectors/open-detector.ts';
import { modelsDir } from './settings.ts';
import { NoSheet } from './sheet/no-sheet.ts';

const HELP = `node cloud-fn/yolo/analyse-file.ts FILE... [options]
Says what is in a clip or a picture, as the YOLO worker would.

  --json             one JSON line per file: the file and the worker's details
  --strategy NAME    ${STRATEGIES.join(', ')} (default fixed-rate)
  --fps N            frames per second of fixed-rate (default ${DEFAULT_RATE_FPS})
  --frame OUT.jpg    write the annotated best frame there (one FILE only)
  --sheet OUT.png    write a contact sheet there (one FILE only): tracks with pieces of the picture, how sure the
                     detector was, what the second one said, and the verdict with its reason
  --model NAME       these weights, not the best present
  --models DIR       folder of the weights (default: where scripts/models keeps them)
`;

const DEADLINE_MS = 3_600_000;

class NotWritten extends Error {
  override readonly name = 'NotWritten';
}

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
      sheet: { type: 'string' },
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
  for (const name of ['frame', 'sheet'] as const) {
    const place = values[name];
    if (place === undefined) continue;
    if (positionals.length > 1) throw new Error(`--${name} goes with one file only`);
    const trouble = troubleWith(place, positionals[0] ?? '');
    if (trouble) throw new Error(`--${name}: ${trouble}`);
  }
  if (
    values.frame !== undefined &&
    values.sheet !== undefined &&
    resolve(values.frame) === resolve(values.sheet)
  )
    throw new Error('--frame and --sheet name the same file');
  return { ...values, strategy, rateFps, files: positionals };
}

/** Why nothing can be written there; undefined when it can. Asked first: an analysis takes a while. */
function troubleWith(place: string, input: string): string | undefined {
  if (place === '') return 'name the file to write';
  const folder = dirname(resolve(place));
  const there = statSync(place, { throwIfNoEntry: false });
  if (there?.isDirectory()) return `${place} is a folder; name a file`;
  const given = statSync(input, { throwIfNoEntry: false });
  if (there && given && there.dev === given.dev && there.ino === given.ino)
    return `${place} is the file to be analysed, and would be overwritten`;
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return `there is no folder ${folder}`;
  try {
    accessSync(there ? place : folder, constants.W_OK);
  } catch {
    return `${there ? place : folder} cannot be written to`;
  }
  return undefined;
}

/** @throws NotWritten */
function write(place: string, bytes: Buffer): void {
  try {
    writeFileSync(place, bytes);
  } catch (error) {
    throw new NotWritten(`${place} could not be written: ${(error as Error).message}`, { cause: error });
  }
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

/** Only here, because the image of the worker is without the orchestrators. */
async function sheetOf(file: string, analysis: Analysis): Promise<Buffer> {
  const { contactSheet } = await import('./sheet/contact-sheet.ts');
  const { decideVerdict } = await import('../orchestrators/decide-verdict.ts');
  const { details } = analysis;
  const judged = decideVerdict({ status: 'PROCESSED', details, stop_timestamp: new Date().toISOString() });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  return contactSheet(file, analysis, judged, { signal, whitelist: CLIPS_AND_PICTURES });
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
      if (given.frame !== undefined && bestFrame) write(given.frame, bestFrame.jpeg);
      if (given.sheet !== undefined) write(given.sheet, await sheetOf(file, analysis));
      out(
        given.json
          ? JSON.stringify({ file, ...details, best_frame_ms: bestFrame?.atMs ?? null })
          : describe(file, analysis),
      );
    } catch (error) {
      if (!(error instanceof ClipProblem || error instanceof NotWritten || error instanceof NoSheet))
        throw error;
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
