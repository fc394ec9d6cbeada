import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Verdict } from '@dachawatch/contracts';
import { REPORTED } from '../../../../cloud-fn/yolo/detectors/coco-labels.ts';
import { Refusal } from '../../command/ends.ts';

export type VerdictName = Verdict['verdict'];
export const VERDICTS: readonly VerdictName[] = ['person', 'vehicle', 'animal', 'nothing', 'undecided'];

export interface LabelledClip {
  /** As the manifest names it. */
  readonly file: string;
  readonly path: string;
  readonly expected: VerdictName;
  /** Verdicts that count as right; `expected` is one of them. */
  readonly acceptable: readonly VerdictName[];
}

export const HALVES = ['tune', 'check'] as const;
export type Half = (typeof HALVES)[number];

type Fields = Readonly<Record<string, unknown>>;

/** Clips of a manifest and what each should be called.
 *  @param half every other clip: the first, third, … to tune on (`tune`), or the others, to check with (`check`)
 *  @param only keeps the clips whose file name contains it
 *  @throws Refusal with one sentence when it cannot be used */
export function readLabelledClips(
  file: string,
  { half, only = '' }: { readonly half?: Half | undefined; readonly only?: string | undefined },
): LabelledClip[] {
  const clips = read(file)
    .map((clip, index) => labelled(clip, index, dirname(resolve(file))))
    .filter((_, index) => half === undefined || (index % 2 === 0) === (half === 'tune'))
    .filter((clip) => clip.file.includes(only));
  if (clips.length === 0)
    throw new Refusal(
      only ? `no clip of ${file} has "${only}" in its name` : `the manifest ${file} names no clip`,
    );
  return clips;
}

function read(file: string): readonly Fields[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Refusal(`the manifest ${file} cannot be read`);
  }
  let manifest: Fields;
  try {
    manifest = (JSON.parse(text) ?? {}) as Fields;
  } catch {
    throw new Refusal(`the manifest ${file} is not JSON`);
  }
  const { clips } = manifest;
  if (!Array.isArray(clips)) throw new Refusal(`the manifest ${file} has no list "clips"`);
  return clips as Fields[];
}

function labelled(clip: Fields | null, index: number, folder: string): LabelledClip {
  const file = clip?.['file'];
  if (typeof file !== 'string' || file === '')
    throw new Refusal(`clip ${index + 1} of the manifest has no "file"`);
  const path = resolve(folder, file);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new Refusal(`the clip ${path} does not exist`);
  const from = expectation(strings(clip?.['labels'], 'labels', file) ?? []);
  const said = clip?.['expected_verdict'];
  if (said !== undefined && said !== null && !isVerdict(said))
    throw new Refusal(`expected_verdict of ${file} is one of ${VERDICTS.join(', ')}`);
  const expected = isVerdict(said) ? said : from.expected;
  const acceptable =
    strings(clip?.['acceptable'], 'acceptable', file) ?? (isVerdict(said) ? [] : from.acceptable);
  if (!acceptable.every(isVerdict))
    throw new Refusal(`acceptable of ${file} is a list of some of ${VERDICTS.join(', ')}`);
  return { file, path, expected, acceptable: [...new Set([expected, ...acceptable])] };
}

const isVerdict = (value: unknown): value is VerdictName => VERDICTS.some((name) => name === value);

function strings(value: unknown, field: string, file: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
    throw new Refusal(`${field} of ${file} is a list of words`);
  return value;
}

/** Words that manifests use beside COCO's. */
const GROUP_OF_WORD = new Map<string, VerdictName>([
  ...(['person', 'vehicle', 'animal'] as const).flatMap((group) =>
    [group, ...REPORTED[group]].map((word) => [word, group] as const),
  ),
  ['van', 'vehicle'],
]);

/** What follows from labels such as `car` or `truck (static)`: the most important decides. What is static is scenery.
 *  Where a remark says that no detector can be expected to name it, `nothing` is right as well. */
export function expectation(labels: readonly string[]): Pick<LabelledClip, 'expected' | 'acceptable'> {
  const there = labels.flatMap((label) => {
    const [, word = '', remark = ''] = /^\s*([\w ]*\w)\s*(?:\((.*)\))?/.exec(label) ?? [];
    const verdict = GROUP_OF_WORD.get(word);
    return verdict === undefined || remark.includes('static') ? [] : [{ verdict, remark }];
  });
  const found = VERDICTS.flatMap((verdict) => there.find((one) => one.verdict === verdict) ?? [])[0];
  if (!found) return { expected: 'nothing', acceptable: ['nothing'] };
  const hopeless = /thermal|not a detector test/.test(found.remark);
  return { expected: found.verdict, acceptable: hopeless ? [found.verdict, 'nothing'] : [found.verdict] };
}
