import type { Figures } from './motion/measure.ts';

/** A row of the table: whose figures, and of what. */
export interface Row {
  readonly name: string;
  readonly figures: Figures;
}

const HEADS = [
  '',
  'found',
  'delay',
  'false',
  'neg s',
  'neg %',
  'beyond %',
  'CPU s/min',
  'detector',
  'ns/px',
  'quiet ms',
  '95 %',
];

/** Figures for people. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [HEADS, ...rows.map(({ name, figures }) => [name, ...cells(figures)])];
  const widths = HEADS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cells(figures: Figures): string[] {
  const { events, detected, medianDelayS, falseAlarms, negativeS } = figures;
  return [
    events > 0 ? `${detected}/${events}` : '-',
    fixed(medianDelayS, 2),
    `${falseAlarms}`,
    negativeS.toFixed(1),
    percent(figures.negAlarmShare),
    percent(figures.negAlarmShareOutsideMargins),
    fixed(figures.cpuSPerMin, 2),
    fixed(figures.detectorCpuSPerMin, 2),
    fixed(figures.nsPerPixel, 1),
    fixed(figures.quietMedianMs, 2),
    fixed(figures.quietP95Ms, 2),
  ];
}

/** `3 in-place, 1 lighting`, the most frequent first. */
export function reasonsOf({ suppressed }: Figures): string {
  return Object.entries(suppressed)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ');
}

const fixed = (value: number | null | undefined, digits: number) => value?.toFixed(digits) ?? '-';
const percent = (share: number | null) => (share === null ? '-' : (share * 100).toFixed(1));
