import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import { analysisInput, details, detection, result } from './clip-samples.ts';
import { drive, type Outcomes, type Script } from './drive.ts';

const ORCHESTRATORS = new URL('../../../../cloud-fn/orchestrators/', import.meta.url);
const FORBIDDEN = [
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /\bMath\.random\b/,
  /\bperformance\b/,
  /\bprocess\b/,
  /\bawait\b/,
  /\basync\b/,
  /\bfetch\b/,
  /\bset(?:Timeout|Interval|Immediate)\b/,
  /\bcrypto\b/,
  /\bPromise\.(?!\s)/,
];

test('orchestrators use no clock, no chance, no environment and no promise of their own', () => {
  const files = readdirSync(ORCHESTRATORS).filter((name) => name.endsWith('.ts'));
  assert.ok(files.length > 0);
  for (const name of files) {
    const code = readFileSync(new URL(name, ORCHESTRATORS), 'utf8').replaceAll(
      /\/\*[\s\S]*?\*\/|\/\/.*/g,
      '',
    );
    for (const pattern of FORBIDDEN) assert.doesNotMatch(code, pattern, `${name}: ${pattern}`);
  }
});

const working: Outcomes = {
  start_container: () => ({ worker: 'started' }),
  send_processing_request: () => null,
  find_result: () => null,
  store_verdict: ({ verdict }: { verdict: Verdict }) => verdict,
  SendVideoComplited: () => new Error('no'),
  Escalate: () => null,
  SendFailureNotification: () => null,
  send_verdict_to_device: () => new Error('no'),
};
const SCRIPTS: Readonly<Record<string, Script>> = {
  person: {
    input: analysisInput(),
    activities: working,
    event: { payload: result(details([detection('person')])) },
  },
  'no answer': { input: analysisInput(), activities: working },
  broken: { input: analysisInput(), activities: { ...working, start_container: () => new Error('no') } },
};

for (const [path, script] of Object.entries(SCRIPTS))
  test(`every replay of a prefix of the history does the same: ${path}`, (t) => {
    const whole = drive(script);
    // A year later and with other luck, as a replay on another machine would be.
    t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2027, 10, 21) });
    t.mock.method(Math, 'random', () => 0.123);
    for (let yields = 0; yields <= whole.yields; yields += 1) {
      const prefix = drive({ ...script, yields });
      assert.deepEqual(
        prefix.actions,
        whole.actions.slice(0, prefix.actions.length),
        `after ${yields} yields`,
      );
      assert.deepEqual(prefix.steps, whole.steps.slice(0, prefix.steps.length));
    }
    assert.deepEqual(drive(script), whole);
  });
