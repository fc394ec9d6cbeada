/** Rules that every orchestrator keeps because the runtime demands them, looked for in the sources. A rule that no source
 *  could break is none: each is shown a source that breaks it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

interface Rule {
  readonly title: string;
  /** What must not stand in a source (without comments and texts). */
  readonly forbidden: RegExp;
  readonly breaks: readonly string[];
  readonly keeps: readonly string[];
}

const RULES: readonly Rule[] = [
  {
    title: 'no wall clock, no chance, no environment',
    forbidden: /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bprocess\.|\brandomUUID\b|\bawait\b/,
    breaks: ['const a = Date.now();', 'new Date()', 'Math.random()', 'await x', 'process.env'],
    keeps: ['new Date(beganMs + dueMs)', 'orchestrator.currentUtcDateTime'],
  },
  {
    title:
      'activities and children are called in one place each, whose input is an object: no bare boolean, null or nothing',
    forbidden: /\bcall(?:Activity|SubOrchestrator)(?:WithRetry)?\((?!name, options, input\))/,
    breaks: [
      "context.df.callActivity('a', true)",
      "orchestrator.callActivityWithRetry('a', options, null)",
      "callSubOrchestrator('child')",
    ],
    keeps: ['return orchestrator.callActivityWithRetry(name, options, input);'],
  },
  {
    title: 'only Errors with a text are thrown',
    forbidden:
      /\bthrow\b(?!\s+(?:new \w*(?:Error|Failure)\(\s*[^)\s'"`]|new \w*(?:Error|Failure)\(\s*['"`]T|error;))/,
    breaks: [
      "throw 'text'",
      'throw undefined',
      'throw { code: 1 }',
      'throw new Error()',
      "throw new Error('')",
    ],
    keeps: ['throw error;', "throw new Error('why')", 'throw new ContractError(message)'],
  },
  {
    title:
      'no loop asks what time it is: timers fire a second early, and a timer set again for the same time spins',
    forbidden:
      /\bwhile\s*\(|\bdo\s*\{|\bfor\s*\([^)]*(?:;\s*;|currentUtcDateTime|\bnow\b|nowMs)[^)]*\)|\bfor\s*\(\s*;/,
    breaks: [
      'while (now < due) yield createTimer(due)',
      'do { yield timer } while (x)',
      'for (;;) {}',
      'for (let now = at; now < due; ) {}',
      'for (let i = 0; orchestrator.currentUtcDateTime < due; i++) {}',
    ],
    keeps: ['for (const dueMs of slicesOf(waitMs)) {', 'for (let i = 0; i < 3; i += 1) {'],
  },
  {
    title: 'the custom status is set in one place, and small: a step and a time',
    forbidden: /\bsetCustomStatus\((?!\{ step, since: utc\(orchestrator\) \}\))/,
    breaks: ['setCustomStatus(result)', 'setCustomStatus({ step, details })', 'setCustomStatus(null)'],
    keeps: ['orchestrator.setCustomStatus({ step, since: utc(orchestrator) });'],
  },
  {
    title: 'an orchestration that waits for events never continues as new: it drops them',
    forbidden: /\bcontinueAsNew\b/,
    breaks: ['context.df.continueAsNew(input)'],
    keeps: [],
  },
];

/** Code without comments; texts are shortened to their marks, with a T in those that say something. */
const codeOf = (source: string) =>
  source
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|[^:])\/\/.*$/gm, '$1')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, (text) => (text.length > 2 ? "'T'" : "''"));

const folder = join(import.meta.dirname, '../../../../cloud-fn/orchestrators');
const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'));

for (const { title, forbidden, breaks, keeps } of RULES) {
  test(`${title}: in every source`, () => {
    assert.ok(sources.includes('clip-analysis.ts') && sources.length >= 8);
    for (const name of sources) {
      const found = forbidden.exec(codeOf(readFileSync(join(folder, name), 'utf8')));
      assert.equal(found?.[0], undefined, name);
    }
  });

  test(`${title}: what breaks it is found, and nothing else`, () => {
    for (const source of breaks) assert.match(codeOf(source), forbidden, source);
    for (const source of keeps) assert.doesNotMatch(codeOf(source), forbidden, source);
  });
}

test('every activity that an orchestrator calls is registered, by the name it is called by', () => {
  const named = sources.flatMap((name) => {
    const source = readFileSync(join(folder, name), 'utf8');
    return [...source.matchAll(/\bACTIVITY_[A-Z_]+/g)].map(([constant]) => constant);
  });
  const registered = readFileSync(join(folder, '../functions/clip-analysis.ts'), 'utf8');
  for (const constant of new Set(named)) assert.ok(registered.includes(`[${constant}, `), constant);
});
