import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createLog } from '../../../agent/kernel/log.ts';
import { createFakeClock } from '../../../test/fakes/clock.ts';
import { rehearse, type Moment, type Rehearsal } from './rehearsal.ts';
import { readScenario } from './scenario.ts';

const HELP = `Usage: node hardware/simulators/ups/plot.ts --scenario FILE --out FILE.svg [--from S] [--to S]

Plays a scenario against the agent's power policy in simulated time and draws it: the pack's true voltage, what the
policy believed, the states it gave, and what it did.`;

const WIDTH = 960;
const HEIGHT = 380;
const BOX = { left: 60, top: 48, right: WIDTH - 44, bottom: HEIGHT - 84 };
const VOLTS = { least: 8.5, most: 13 };
const COLOURS: Readonly<Record<string, string>> = {
  unknown: '#d5d5d5',
  'on-mains': '#d8efdb',
  'on-battery': '#fdf0c4',
  low: '#fbd3a4',
  critical: '#f4a9a0',
};
const POINTS_MOST = 700;

/** A scenario as a picture. Times are seconds of the scenario. */
export function drawRehearsal(title: string, rehearsal: Rehearsal, fromS: number, toS: number): string {
  const moments = rehearsal.moments.filter(({ atS }) => atS >= fromS && atS <= toS);
  const endS = moments.at(-1)?.atS ?? toS;
  const x = (atS: number) =>
    Math.round((BOX.left + ((atS - fromS) / (endS - fromS || 1)) * (BOX.right - BOX.left)) * 10) / 10;
  const y = (volts: number) => {
    const part =
      (Math.min(VOLTS.most, Math.max(VOLTS.least, volts)) - VOLTS.least) / (VOLTS.most - VOLTS.least);
    return Math.round((BOX.bottom - part * (BOX.bottom - BOX.top)) * 10) / 10;
  };
  const thinned = moments.filter((_, index) => index % Math.ceil(moments.length / POINTS_MOST) === 0);
  const bands = runsOf(moments, ({ status }) => status.state).map(
    ({ value, beginS, finishS }) =>
      `<rect x="${x(beginS)}" y="${BOX.top}" width="${Math.max(0.5, x(finishS) - x(beginS))}" height="${BOX.bottom - BOX.top}" fill="${COLOURS[value] ?? '#fff'}"/>`,
  );
  const mains = runsOf(moments, (moment) => (moment.mains ? 'yes' : 'no')).map(
    ({ value, beginS, finishS }) =>
      `<rect x="${x(beginS)}" y="${BOX.bottom + 8}" width="${Math.max(0.5, x(finishS) - x(beginS))}" height="10" fill="${value === 'yes' ? '#4b9b5a' : '#b9b9b9'}"/>`,
  );
  const grid = [9, 9.6, 10.2, 11, 12, 12.6].map(
    (volts) =>
      `<path d="M${BOX.left} ${y(volts)}H${BOX.right}" stroke="#00000022"/><text x="${BOX.left - 6}" y="${y(volts) + 4}" text-anchor="end">${volts.toFixed(1)} V</text>`,
  );
  const hours = ticks(fromS, endS).map(
    (atS) => `<text x="${x(atS)}" y="${BOX.bottom + 36}" text-anchor="middle">${timeText(atS)}</text>`,
  );
  const deeds = rehearsal.deeds
    .filter(({ truth }) => truth.atS >= fromS && truth.atS <= endS + 1)
    .map(
      ({ deed, truth }, index) =>
        `<path d="M${x(truth.atS)} ${BOX.top}V${BOX.bottom}" stroke="#7a1f1f" stroke-dasharray="4 3"/><text x="${x(truth.atS) - 4}" y="${BOX.top + 14 + index * 15}" text-anchor="end" fill="#7a1f1f">${deed}</text>`,
    );
  const legend = Object.entries(COLOURS).map(
    ([state, colour], index) =>
      `<rect x="${BOX.left + index * 110}" y="${HEIGHT - 30}" width="14" height="14" fill="${colour}" stroke="#888"/><text x="${BOX.left + index * 110 + 20}" y="${HEIGHT - 18}">${state}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${BOX.left}" y="28" font-size="15">${escapeXml(title)}</text>
${[...bands, ...mains, ...grid, ...hours].join('\n')}
<text x="${BOX.left - 6}" y="${BOX.bottom + 17}" text-anchor="end">mains</text>
<path d="${pathOf(thinned, (moment) => [x(moment.atS), y(moment.volts)])}" fill="none" stroke="#777" stroke-width="3" stroke-opacity="0.5"/>
<path d="${pathOf(thinned, ({ atS, status }) => (status.volts === null ? null : [x(atS), y(status.volts)]))}" fill="none" stroke="#123a6b" stroke-width="1.3"/>
${deeds.join('\n')}
${legend.join('\n')}
<path d="M${BOX.left + 580} ${HEIGHT - 23}h24" stroke="#777" stroke-width="3" stroke-opacity="0.5"/><text x="${BOX.left + 610}" y="${HEIGHT - 18}">true voltage</text>
<path d="M${BOX.left + 710} ${HEIGHT - 23}h24" stroke="#123a6b" stroke-width="1.3"/><text x="${BOX.left + 740}" y="${HEIGHT - 18}">what was believed</text>
</svg>
`;
}

function runsOf(moments: readonly Moment[], valueOf: (moment: Moment) => string) {
  const runs: { value: string; beginS: number; finishS: number }[] = [];
  for (const moment of moments) {
    const last = runs.at(-1);
    if (last) last.finishS = moment.atS;
    const value = valueOf(moment);
    if (last?.value !== value) runs.push({ value, beginS: moment.atS, finishS: moment.atS });
  }
  return runs;
}

/** A line with gaps where there is no point. */
function pathOf(
  moments: readonly Moment[],
  point: (moment: Moment) => readonly [number, number] | null,
): string {
  let isDown = false;
  return moments
    .map((moment) => {
      const at = point(moment);
      const text = at ? `${isDown ? 'L' : 'M'}${at[0]} ${at[1]}` : '';
      isDown = at !== null;
      return text;
    })
    .join('');
}

function ticks(fromS: number, toS: number): number[] {
  const steps = [10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600];
  const step = steps.find((one) => (toS - fromS) / one <= 9) ?? 21_600;
  const first = Math.ceil(fromS / step) * step;
  return Array.from({ length: Math.floor((toS - first) / step) + 1 }, (_, index) => first + index * step);
}

function timeText(atS: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${Math.floor(atS / 3_600)}:${two((atS / 60) % 60)}:${two(atS % 60)}`;
}

const escapeXml = (text: string) => text.replace(/[<>&]/g, (one) => `&#${one.charCodeAt(0)};`);

const options = {
  help: { type: 'boolean' },
  scenario: { type: 'string' },
  out: { type: 'string' },
  from: { type: 'string', default: '0' },
  to: { type: 'string', default: '1000000' },
} as const;

async function main(): Promise<void> {
  const flags = parseArgs({ options }).values;
  if (flags.help) return void process.stdout.write(`${HELP}\n`);
  if (!flags.scenario || !flags.out) throw new Error('--scenario FILE and --out FILE.svg are both needed.');
  const [fromS, toS] = [Number(flags.from), Number(flags.to)];
  if (!(fromS >= 0 && toS > fromS))
    throw new Error('--from and --to are seconds, and --to comes after --from.');
  const scenario = readScenario(flags.scenario);
  const rehearsal = await rehearse({ scenario, clock: createFakeClock(), log: createLog('silent') });
  writeFileSync(flags.out, drawRehearsal(scenario.title, rehearsal, fromS, toS));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(2);
}
