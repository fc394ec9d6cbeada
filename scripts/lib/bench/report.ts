import type { BenchClip } from './motion/manifest.ts';
import { type Figures, figuresOf, type Measured } from './motion/measure.ts';
import { reasonsOf, type Row, tableOf } from './table.ts';
import type { Variation } from './motion/vary.ts';

/** What became of one clip. */
export interface Result {
  readonly clip: BenchClip;
  /** One run, or one for each phase. */
  readonly ours: readonly Measured[];
  /** The peer's, if it ran. */
  readonly motion: readonly Measured[];
}

/** The same clips shown another way. */
export interface Varied {
  readonly kind: Variation;
  readonly results: readonly Result[];
}

/** How the pictures of the runs of one clip lie to each other, and how they were shown: with `all` as they are,
 *  and then each other way. */
interface Shown {
  readonly everyMs: number;
  readonly phases: number;
  readonly vary?: Variation | 'all' | undefined;
}

const WHOSE = ['ours', 'motion'] as const;
type Who = (typeof WHOSE)[number];

interface Totals {
  readonly real: Figures;
  readonly synthetic: Figures;
}

/** @param of what of a result counts */
function totalsOf(results: readonly Result[], of: (result: Result) => readonly Measured[]): Totals {
  const total = (synthetic: boolean) =>
    figuresOf(results.filter(({ clip }) => clip.synthetic === synthetic).flatMap((result) => of(result)));
  return { real: total(false), synthetic: total(true) };
}

const totals = (results: readonly Result[], who: Who) => totalsOf(results, (result) => result[who]);

/** The figures of each phase, when there are several. */
function byPhase(results: readonly Result[], { everyMs, phases }: Shown) {
  if (phases === 1) return [];
  return Array.from({ length: phases }, (_, phase) => ({
    offsetMs: Math.round((phase * everyMs) / phases),
    ...totalsOf(results, ({ ours }) => ours.slice(phase, phase + 1)),
  }));
}

const present = (results: readonly Result[]) =>
  WHOSE.filter((who) => results.some((result) => result[who].length > 0));

/** The JSON that `--json` prints. */
export function summary(results: readonly Result[], shown: Shown, varied: readonly Varied[] = []) {
  const whose = present(results);
  const ofPhases = byPhase(results, shown);
  const { vary } = shown;
  return {
    ...Object.fromEntries(whose.map((who) => [who, totals(results, who)])),
    ...(vary !== undefined && vary !== 'all' && { vary }),
    ...(ofPhases.length > 0 && { phases: ofPhases }),
    ...(varied.length > 0 && {
      varied: Object.fromEntries(varied.map((one) => [one.kind, totals(one.results, 'ours')])),
    }),
    clips: results.map((result) => ({
      file: result.clip.file,
      synthetic: result.clip.synthetic,
      ...Object.fromEntries(whose.map((who) => [who, figuresOfClip(result[who])])),
    })),
  };
}

function figuresOfClip(runs: readonly Measured[]) {
  const [alarms, ...others] = runs.map((run) => run.alarms.map(pair));
  return {
    ...figuresOf(runs),
    alarms: alarms ?? [],
    ...(others.length > 0 && { alarmsOfOtherPhases: others }),
  };
}

const pair = ({ fromS, toS }: { fromS: number; toS: number }) => [
  Number(fromS.toFixed(2)),
  Number(toS.toFixed(2)),
];

/** One line about one run over one clip. */
export function progress(who: Who | Variation, clip: BenchClip, measured: Measured): string {
  const { events, detected, falseAlarms } = figuresOf([measured]);
  const alarms = measured.alarms.map((alarm) => pair(alarm).join('-')).join(' ');
  return `${who.padEnd(11)} ${clip.file}: ${detected}/${events} found, ${falseAlarms} false; alarms: ${alarms || 'none'}`;
}

const sumsOf = (name: string, { real, synthetic }: Totals): Row[] => [
  { name: `all real, ${name}`, figures: real },
  { name: `all synthetic, ${name}`, figures: synthetic },
];

/** The table for people. */
export function report(results: readonly Result[], shown: Shown, varied: readonly Varied[] = []): string {
  const whose = present(results);
  const rows = results.flatMap((result) =>
    whose.map((who): Row => ({ name: `${result.clip.file} ${who}`, figures: figuresOf(result[who]) })),
  );
  const ofPhases = byPhase(results, shown).flatMap(({ offsetMs, real, synthetic }): Row[] => [
    { name: `real, ${offsetMs} ms later`, figures: real },
    { name: `synthetic, ${offsetMs} ms later`, figures: synthetic },
  ]);
  const { vary } = shown;
  const asShown = vary !== undefined && vary !== 'all' ? `, ${vary}` : '';
  const sums = whose.flatMap((who) => sumsOf(`${who}${asShown}`, totals(results, who)));
  const others = varied.flatMap((one) => sumsOf(`ours, ${one.kind}`, totals(one.results, 'ours')));
  const reasons = sums.flatMap(({ name, figures }) => {
    const said = reasonsOf(figures);
    return said ? [`${name}, suppressed: ${said}`] : [];
  });
  return [tableOf([...rows, ...ofPhases, ...sums, ...others]), ...reasons].join('\n');
}
