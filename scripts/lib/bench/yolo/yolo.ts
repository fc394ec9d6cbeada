/** `scripts/bench yolo`: what the analysis of a clip costs, beside what cannot be saved. */
import { statSync } from 'node:fs';
import { ANALYSIS_DEADLINE_MS } from '@dachawatch/contracts';
import { decideVerdict } from '../../../../cloud-fn/orchestrators/decide-verdict.ts';
import { type Analysis, analyseClip } from '../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { cpuTimeMs } from '../../../../cloud-fn/yolo/analysis/cpu-time.ts';
import { runMediaTool, ONLY_THIS_FILE } from '../../../../cloud-fn/yolo/analysis/run-media-tool.ts';
import { STRATEGIES, type Strategy } from '../../../../cloud-fn/yolo/analysis/strategy.ts';
import { ClipProblem } from '../../../../cloud-fn/yolo/clip-problem.ts';
import type { Detector, SecondDetector } from '../../../../cloud-fn/yolo/detectors/detector.ts';
import { openDetector, secondDetector } from '../../../../cloud-fn/yolo/detectors/open-detector.ts';
import { modelsDir } from '../../../../cloud-fn/yolo/settings.ts';
import { choice, flag, readArguments, requireNoWords, text, whole } from '../../command/arguments.ts';
import { Refusal } from '../../command/ends.ts';
import { runCost } from './run-cost.ts';

interface Tools {
  readonly clip: string;
  readonly detector: Detector;
  readonly second: SecondDetector | undefined;
  readonly signal: AbortSignal;
}

/** All CPU milliseconds, of this process and the tools that it started. */
interface Round {
  readonly decodeCpuMs: number;
  readonly runMs: number;
  readonly pipelineCpuMs: number;
  readonly firstAlertCpuMs: number | undefined;
  readonly allFramesCpuMs: number;
}

export async function benchYolo(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    clip: text,
    strategy: choice(STRATEGIES),
    rounds: whole(1, 100),
    model: text,
    models: text,
    json: flag,
  });
  requireNoWords(words);
  const { clip, strategy = 'fixed-rate' } = values;
  if (clip === undefined) throw new Refusal('yolo needs --clip FILE');
  if (!statSync(clip, { throwIfNoEntry: false })?.isFile())
    throw new Refusal(`--clip ${clip} cannot be read: there is no such file`);
  const folder = values.models ?? modelsDir();
  const detector = await openDetector(folder, { name: values.model, warn: tell });
  const second = secondDetector(folder, detector.model.name);
  try {
    const found = await measure(
      { clip, detector, second, signal },
      { folder, strategy, rounds: values.rounds ?? 3 },
    );
    process.stdout.write(`${values.json ? JSON.stringify(found) : described(found)}\n`);
  } catch (error) {
    if (!(error instanceof ClipProblem)) throw error;
    throw new Refusal(`--clip ${clip} cannot be analysed: ${error.message}`);
  } finally {
    await detector.close();
    await second?.close();
  }
  return 0;
}

async function measure(
  tools: Tools,
  { folder, strategy, rounds }: { folder: string; strategy: Strategy; rounds: number },
) {
  const done: Round[] = [];
  // Once before: code is compiled, the file is in the memory of the system, and the second detector is open.
  let ours = await analysed(tools, strategy);
  let all = ours;
  for (let round = 1; round <= rounds; round++) {
    tools.signal.throwIfAborted();
    const decodeCpuMs = await decodeCost(tools);
    const runMs = await runCost(folder, tools.detector);
    ours = await analysed(tools, strategy);
    all = await analysed(tools, 'every-frame');
    done.push({
      decodeCpuMs,
      runMs,
      pipelineCpuMs: ours.analysis.details.cpu_ms,
      firstAlertCpuMs: ours.firstAlertCpuMs,
      allFramesCpuMs: all.analysis.details.cpu_ms,
    });
    tell(
      `round ${round}: decoding ${round0(decodeCpuMs)}, a run ${runMs.toFixed(1)}, ${strategy} ` +
        `${ours.analysis.details.cpu_ms}, every frame ${all.analysis.details.cpu_ms} ms of CPU`,
    );
  }
  const { frames, detections } = ours.analysis.details;
  const floors = done.map(({ decodeCpuMs, runMs }) => decodeCpuMs + frames.analysed * runMs);
  const toFloor = done.map(({ pipelineCpuMs }, at) => pipelineCpuMs / (floors[at] as number));
  const verdict = verdictOf(ours.analysis);
  const firstAlerts = done.flatMap(({ firstAlertCpuMs }) => firstAlertCpuMs ?? []);
  return {
    strategy,
    rounds,
    frames: { ...frames, looks: ours.looks },
    runMs: Math.round(median(done.map(({ runMs }) => runMs)) * 10) / 10,
    decodeCpuMs: round0(median(done.map(({ decodeCpuMs }) => decodeCpuMs))),
    pipelineCpuMs: round0(median(done.map(({ pipelineCpuMs }) => pipelineCpuMs))),
    pipelineToFloor: round3(median(toFloor)),
    pipelineToFloorSpread: [round3(Math.min(...toFloor)), round3(Math.max(...toFloor))],
    allFramesCpuMs: round0(median(done.map(({ allFramesCpuMs }) => allFramesCpuMs))),
    strategyToAllFrames: round3(
      median(done.map(({ pipelineCpuMs, allFramesCpuMs }) => pipelineCpuMs / allFramesCpuMs)),
    ),
    firstAlertCpuMs: firstAlerts.length > 0 ? round0(median(firstAlerts)) : null,
    verdict,
    allFramesVerdict: verdictOf(all.analysis),
    labels: detections.map(({ label }) => label),
  };
}

type Found = Awaited<ReturnType<typeof measure>>;

/** By the worker's own path. The first alert is the first frame after which the verdict would be that there is a person. */
async function analysed({ clip, detector, second, signal }: Tools, strategy: Strategy) {
  let looks = 0;
  let firstAlertCpuMs: number | undefined;
  const counting: Detector = {
    ...detector,
    detect: (picture) => {
      looks++;
      return detector.detect(picture);
    },
  };
  const before = cpuTimeMs();
  // What ffmpeg used shows only when it has ended: until then its share is what decoding so much of the clip costs.
  const own = () => ownCpuMs();
  const ownBefore = own();
  let atAlert: { own: number; share: number } | undefined;
  const analysis = await analyseClip(clip, counting, {
    ...{ strategy, second, signal },
    deadlineMs: Math.max(ANALYSIS_DEADLINE_MS, 3_600_000),
    onFrame: (soFar, frames) => {
      if (atAlert) return;
      const detections = soFar();
      if (!detections.some(({ label }) => label === 'person')) return;
      const details = { ...NOTHING_SEEN, frames: { decoded: frames, analysed: frames }, detections };
      if (decideVerdict({ status: 'PROCESSED', details, stop_timestamp: NOW }).verdict === 'person')
        atAlert = { own: own() - ownBefore, share: frames };
    },
  });
  if (atAlert) {
    const children = cpuTimeMs() - before - (own() - ownBefore);
    firstAlertCpuMs = atAlert.own + children * Math.min(1, atAlert.share / analysis.details.frames.analysed);
  }
  return { analysis, looks, firstAlertCpuMs };
}

const NOW = new Date(0).toISOString();
const NOTHING_SEEN = {
  schema_version: 1 as const,
  model: { name: 'bench', sha256: '0'.repeat(64), licence: 'Apache-2.0' },
  cpu_ms: 0,
  strategy: 'fixed-rate',
};

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** One thread decodes the whole clip, and throws the pictures away. */
async function decodeCost({ clip, signal }: Tools): Promise<number> {
  const before = cpuTimeMs();
  const own = ownCpuMs();
  const tool = runMediaTool(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-threads', '1', ...ONLY_THIS_FILE, '-i', clip],
      ...['-map', '0:v:0', '-an', '-sn', '-dn', '-fps_mode', 'passthrough', '-f', 'null', '-'],
    ],
    { signal },
  );
  tool.stdout.resume();
  await tool.ended;
  return cpuTimeMs() - before - (ownCpuMs() - own);
}

const verdictOf = ({ details }: Analysis) =>
  decideVerdict({ status: 'PROCESSED', details, stop_timestamp: NOW }).verdict;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

const round0 = (value: number) => Math.round(value);
const round3 = (value: number) => Math.round(value * 1000) / 1000;
const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

function described(found: Found): string {
  const { frames, pipelineToFloorSpread: spread } = found;
  return [
    `${found.strategy}: ${found.pipelineCpuMs} ms of CPU, ${frames.analysed} of ${frames.decoded} frames, ${frames.looks} looks`,
    `floor: ${found.decodeCpuMs} ms to decode, ${found.runMs} ms a run; ${found.pipelineToFloor} times the floor (${spread.join(' to ')})`,
    `every frame: ${found.allFramesCpuMs} ms; ${found.strategyToAllFrames} of that, verdict ${found.verdict} (${found.allFramesVerdict})`,
    found.firstAlertCpuMs === null
      ? 'no person is found'
      : `the first person is found after ${found.firstAlertCpuMs} ms of CPU`,
  ].join('\n');
}
