import { ACCEPTED } from './differences.ts';
import type { Engine } from './engines.ts';
import type { Scenario } from './scenario.ts';
import { createStage } from './stage.ts';
import { differencesOf, type Transcript } from './transcript.ts';

/** As many at a time on each engine: most of a scenario is waiting. */
const AT_A_TIME = 8;
const BROKE = 'broke';

export interface Play {
  readonly real: Engine;
  readonly ours: Engine;
  readonly scenarios: readonly Scenario[];
  readonly run: string;
}

export interface Outcome {
  readonly scenario: string;
  readonly real: Transcript;
  readonly ours: Transcript;
  /** Names of accepted differences that it showed. */
  readonly accepted: ReadonlySet<string>;
  /** Differences nobody has accepted and scenarios that broke off, a line each. */
  readonly trouble: readonly string[];
  /** What the first play showed of both when a second one showed nothing. */
  readonly once: readonly string[];
  /** The first play broke off on the real engine. */
  readonly brokeOff: boolean;
  readonly seconds: number;
}

/** Plays each scenario on both engines and compares what they showed; tells of each as soon as both have ended. */
export async function playBoth(play: Play, tell: (outcome: Outcome) => void): Promise<void> {
  const together = play.scenarios.filter(({ alone }) => alone !== true);
  const alone = play.scenarios.filter((one) => one.alone === true);
  const left = together.values();
  const lane = async () => {
    for (const scenario of left) tell(await playOne(play, scenario));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  for (const scenario of alone) tell(await playOne(play, scenario));
}

/** What differs is played once more: the real engine hides what it took in a busy moment for minutes, and what is asked for
 *  in the middle of a change can show either side of it. A difference that stays is one. */
async function playOne({ real, ours, run }: Play, scenario: Scenario): Promise<Outcome> {
  const began = performance.now();
  const both = async (name: string) =>
    compared(
      ...(await Promise.all([transcriptOf(real, scenario, name), transcriptOf(ours, scenario, name)])),
    );
  const first = await both(run);
  const last = first.trouble.length === 0 ? first : await both(`${run}-again`);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const once = last.trouble.length === 0 ? first.trouble : [];
  const brokeOff = first.real.steps.some(({ label }) => label === BROKE);
  return { scenario: scenario.name, ...last, once, brokeOff, seconds };
}

function compared(
  real: Transcript,
  ours: Transcript,
): Pick<Outcome, 'real' | 'ours' | 'accepted' | 'trouble'> {
  const accepted = new Set<string>();
  const trouble: string[] = [];
  for (const difference of differencesOf(real, ours)) {
    const by = ACCEPTED.find(({ covers }) => covers(difference));
    if (by !== undefined) accepted.add(by.name);
    else trouble.push(lineOf(difference));
  }
  for (const step of real.steps) if (step.label === BROKE) trouble.push(`broke off: ${String(step.value)}`);
  return { real, ours, accepted, trouble };
}

async function transcriptOf(engine: Engine, { name, play }: Scenario, run: string): Promise<Transcript> {
  const stage = createStage(engine, name, run);
  try {
    await play(stage);
  } catch (error) {
    stage.note(BROKE, (error as Error).message);
  }
  return { scenario: name, steps: stage.steps };
}

const LONGEST = 300;
function lineOf({ step, path, real, ours }: ReturnType<typeof differencesOf>[number]): string {
  const shown = (value: unknown) => {
    const text = JSON.stringify(value) ?? 'undefined';
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  };
  return `${step}${path && ` at ${path}`}: real ${shown(real)}, ours ${shown(ours)}`;
}
