import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { probeVideo } from '../../../../hardware/simulators/camera/video-probe.ts';
import { Refusal } from '../../command/ends.ts';
import type { Truth } from './score.ts';
import { type Span, without } from './spans.ts';

export interface BenchClip extends Truth {
  /** As the manifest names it. */
  readonly file: string;
  readonly path: string;
  readonly durationS: number;
  readonly synthetic: boolean;
  /** How long the first picture stands still first. */
  readonly leadInS: number;
}

/** For motion that begins at once: the detector has to see the scene without it. */
const LEAD_IN_S = 10;
const DETECTOR_ONLY = /^detector[ -]only$/i;

type Fields = Readonly<Record<string, unknown>>;

/** Reads a manifest of labelled clips. Fields it does not know are passed over; of those it knows only `file` and
 *  the intervals are needed.
 *  @param only keeps the clips whose file name contains it
 *  @throws Refusal with one sentence when it cannot be used */
export async function readManifest(file: string, only = ''): Promise<BenchClip[]> {
  const { clips } = parse(file);
  if (!Array.isArray(clips)) throw new Refusal(`the manifest ${file} has no list "clips"`);
  const wanted = (clips as Fields[]).filter(
    (clip) => !DETECTOR_ONLY.test(textOf(clip?.['use'])) && textOf(clip?.['file']).includes(only),
  );
  const read: BenchClip[] = [];
  for (const [index, clip] of wanted.entries())
    read.push(await readClip(clip, index, dirname(resolve(file))));
  if (read.length === 0)
    throw new Refusal(
      only ? `no clip of ${file} has "${only}" in its name` : `the manifest ${file} names no clip`,
    );
  return read;
}

function parse(file: string): Fields {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Refusal(`the manifest ${file} cannot be read`);
  }
  try {
    return (JSON.parse(text) ?? {}) as Fields;
  } catch {
    throw new Refusal(`the manifest ${file} is not JSON`);
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

async function readClip(clip: Fields, index: number, folder: string): Promise<BenchClip> {
  const file = textOf(clip['file']);
  if (!file) throw new Refusal(`clip ${index + 1} of the manifest has no "file"`);
  const path = resolve(folder, file);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new Refusal(`the clip ${path} does not exist`);
  if (clip['motion_intervals'] === undefined && clip['negative_intervals'] === undefined)
    throw new Refusal(`${file} says neither what moves ("motion_intervals") nor when nothing does`);
  const motion = spans(clip, 'motion_intervals', file) ?? [];
  const optional = spans(clip, 'optional_intervals', file) ?? [];
  const said = Number(clip['duration_s']);
  const durationS = said > 0 ? said : (await probeVideo(path)).durationS;
  if (!(durationS > 0)) throw new Refusal(`${file} does not say how long it is; add "duration_s"`);
  return {
    file,
    path,
    durationS,
    synthetic: Boolean(clip['synthetic']),
    leadInS: motion.some(({ fromS }) => fromS <= 0) ? LEAD_IN_S : 0,
    motion,
    optional,
    negative:
      spans(clip, 'negative_intervals', file) ??
      without([{ fromS: 0, toS: durationS }], [...motion, ...optional]),
  };
}

function spans(clip: Fields, field: string, file: string): Span[] | undefined {
  const value = clip[field];
  if (value === undefined || value === null) return undefined;
  const refuse = (): never => {
    throw new Refusal(`${field} of ${file} is a list of [from, to] in seconds`);
  };
  if (!Array.isArray(value)) return refuse();
  return value.map((pair: unknown) => {
    const [fromS, toS] = Array.isArray(pair) ? (pair as unknown[]) : [];
    return typeof fromS === 'number' && typeof toS === 'number' && fromS <= toS ? { fromS, toS } : refuse();
  });
}
