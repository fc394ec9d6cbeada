/** The page's own sentences, for the console: both say the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repoRoot } from '../places.ts';

/** Of a condition, as `/api/status` gives it; only what is told here. */
export interface ConditionView {
  readonly code: string;
  readonly subject: string | null;
  readonly detail: string;
}

/** What matters of the appliance, in one word. */
export interface Matter {
  readonly state: string;
  readonly level: 'calm' | 'notice' | 'trouble';
  readonly cameras: readonly string[];
}

type CameraState = 'starting' | 'live' | 'blind' | 'stalled' | 'unreachable' | 'refused' | 'unsupported';

/** What `/api/status` answers; only what is told here. */
export interface StatusView {
  readonly house: Matter;
  /** What else matters, behind that. */
  readonly further: readonly Matter[];
  readonly cameras: readonly {
    readonly cameraId: string;
    readonly title: string;
    readonly state: CameraState;
    readonly detail: string | null;
  }[];
  readonly conditions: readonly ConditionView[];
}

export interface PageWords {
  house(status: StatusView, of?: Matter): string;
  condition(condition: ConditionView, status: StatusView): string;
}

/** What the page's modules give; they are JavaScript, as browsers want it. */
interface PageModules {
  readonly createTexts: (language: string, texts: unknown) => unknown;
  readonly createFormat: (language: string, nowMs: () => number) => unknown;
  readonly houseSentence: (status: StatusView, texts: unknown, format: unknown, of?: Matter) => string;
  readonly conditionSentence: (
    condition: ConditionView,
    cameras: StatusView['cameras'],
    texts: unknown,
  ) => string;
}

const PAGE = join(repoRoot, 'agent/dashboard/page');

/** In English, as everything on the console. */
export async function loadPageWords(): Promise<PageWords> {
  const load = async (name: string) => (await import(join(PAGE, name))) as PageModules;
  const [{ createTexts }, { createFormat }, { houseSentence, conditionSentence }] = await Promise.all([
    load('texts.js'),
    load('format.js'),
    load('sentence.js'),
  ]);
  const texts = createTexts('en', JSON.parse(readFileSync(join(PAGE, 'texts.en.json'), 'utf8')));
  const format = createFormat('en', Date.now);
  return {
    house: (status, of) => houseSentence(status, texts, format, of),
    condition: (condition, { cameras }) => conditionSentence(condition, cameras, texts),
  };
}
