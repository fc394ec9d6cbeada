/** `scripts/bench detector`: labelled pictures, as the worker looks at them, but by one detector: nobody is asked for a
 *  second opinion. */
import { analyseClip } from '../../../../cloud-fn/yolo/analysis/analyse-clip.ts';
import { CLIPS_AND_PICTURES } from '../../../../cloud-fn/yolo/analysis/run-media-tool.ts';
import { decideVerdict } from '../../../../cloud-fn/orchestrators/decide-verdict.ts';
import { openDetector } from '../../../../cloud-fn/yolo/detectors/open-detector.ts';
import { modelsDir } from '../../../../cloud-fn/yolo/settings.ts';
import { flag, readArguments, requireNoWords, text } from '../../command/arguments.ts';
import { Refusal } from '../../command/ends.ts';
import { readLabelledImages } from './labelled-images.ts';
import { type Scored, scoreOf } from './score.ts';

const DEADLINE_MS = 120_000;

interface Row extends Scored {
  readonly file: string;
  readonly hasPerson: boolean;
  readonly saysPerson: boolean;
  readonly cpuMs: number;
}

export async function benchDetector(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, words } = readArguments('scripts/bench', args, {
    images: text,
    model: text,
    models: text,
    json: flag,
  });
  requireNoWords(words);
  if (values.images === undefined)
    throw new Refusal('detector needs --images DIR with the labelled pictures');
  const images = readLabelledImages(values.images);
  const detector = await openDetector(values.models ?? modelsDir(), { name: values.model, warn: tell });
  const rows: Row[] = [];
  try {
    for (const { file, path, labelled } of images) {
      signal.throwIfAborted();
      const { details, seen } = await analyseClip(path, detector, {
        ...{ strategy: 'fixed-rate', signal, deadlineMs: DEADLINE_MS },
        whitelist: CLIPS_AND_PICTURES,
      });
      const stop_timestamp = new Date().toISOString();
      const row: Row = {
        ...{ file, labelled, cpuMs: details.cpu_ms },
        found: seen.tracks.flatMap(({ sightings }) => sightings.map(({ detection }) => detection)),
        hasPerson: labelled.some(({ label }) => label === 'person'),
        saysPerson: decideVerdict({ status: 'PROCESSED', details, stop_timestamp }).verdict === 'person',
      };
      if (row.hasPerson !== row.saysPerson)
        tell(`WRONG ${file}: ${row.hasPerson ? 'a person is there' : 'nobody is there'}`);
      rows.push(row);
    }
  } finally {
    await detector.close();
  }
  const summary = { model: detector.model.name, ...summaryOf(rows) };
  process.stdout.write(`${values.json ? JSON.stringify(summary) : table(summary)}\n`);
  return 0;
}

/** `personAgreement` counts pictures in which the verdict on this one detector's answer and the labels say the same of
 *  people. */
function summaryOf(rows: readonly Row[]) {
  const labels = [
    ...new Set(rows.flatMap(({ labelled, found }) => [...labelled, ...found].map(({ label }) => label))),
  ].toSorted();
  const scores = labels.map((label) => ({ label, ...scoreOf(label, rows) }));
  const aps = scores.flatMap(({ ap }) => ap ?? []);
  return {
    images: rows.length,
    personAgreement: rows.filter(({ hasPerson, saysPerson }) => hasPerson === saysPerson).length,
    perClass: Object.fromEntries(
      scores.map(({ label, things, precision, recall }) => [
        label,
        { things, precision: rounded(precision), recall: rounded(recall) },
      ]),
    ),
    mAP50: aps.length === 0 ? null : rounded(aps.reduce((sum, ap) => sum + ap, 0) / aps.length),
    cpuMsPerImage: Math.round(rows.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / rows.length),
  };
}

function table({
  model,
  images,
  personAgreement,
  perClass,
  mAP50,
  cpuMsPerImage,
}: ReturnType<typeof summaryOf> & { model: string }) {
  const cell = (value: number | null) => (value === null ? '-' : value.toFixed(2)).padStart(10);
  return [
    `${'label'.padEnd(12)}${'things'.padStart(8)}${'precision'.padStart(10)}${'recall'.padStart(10)}`,
    ...Object.entries(perClass).map(
      ([label, { things, precision, recall }]) =>
        `${label.padEnd(12)}${String(things).padStart(8)}${cell(precision)}${cell(recall)}`,
    ),
    `${model}: "there is a person" agrees in ${personAgreement} of ${images} pictures; mAP50 ${mAP50 ?? '-'}; ` +
      `${cpuMsPerImage} ms of CPU a picture`,
  ].join('\n');
}

const rounded = (value: number | null) => (value === null ? null : Math.round(value * 10_000) / 10_000);
const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
