/** The harness of kills and faults must be able to fail. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const BENCH = join(import.meta.dirname, '../../scripts/lib/bench/bench.ts');
const DEADLINE_MS = 800_000;

interface Report {
  readonly rounds: number;
  readonly clips: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly unexplained: number;
  readonly tornSecondsMax: number;
  readonly faults: number;
  readonly findings: readonly { readonly kind: string; readonly round: number; readonly replay: string }[];
}

const faults = (...args: string[]) =>
  new Promise<{ code: number; report: Report; said: string }>((resolve, reject) => {
    execFile(
      process.execPath,
      [BENCH, 'faults', '--json', ...args],
      { timeout: DEADLINE_MS },
      (error, stdout, stderr) => {
        const line = stdout.trim().split('\n').at(-1) ?? '';
        if (!line.startsWith('{')) return reject(new Error(`no report: ${stderr}`));
        const code = error === null ? 0 : Number(error.code);
        resolve({ code, report: JSON.parse(line) as Report, said: stderr });
      },
    );
  });

/** A round without faults of the house. */
const QUIET = ['--seed', '1', '--round', '2', '--house-only'];

test('a house that keeps its promise passes, and its clips were looked at', async () => {
  const { code, report, said } = await faults(...QUIET);
  assert.deepEqual(report.findings, [], said);
  assert.equal(code, 0);
  assert.ok(report.clips >= 2);
});

const noticed: readonly [sabotage: string, by: (report: Report) => boolean][] = [
  ['delete-sealed', ({ lost }) => lost > 0],
  ['upload-twice', ({ duplicated }) => duplicated > 0],
  ['flip-byte', ({ lost }) => lost > 0],
  ['forget-row', ({ unexplained }) => unexplained > 0],
  ['cut-fragment', ({ tornSecondsMax }) => tornSecondsMax > 2],
];
for (const [sabotage, by] of noticed)
  test(`a house that breaks its promise is found out: ${sabotage}`, async () => {
    const { code, report } = await faults(...QUIET, '--sabotage', sabotage);
    assert.equal(code, 1);
    assert.ok(by(report), JSON.stringify(report));
    const [first] = report.findings;
    assert.match(first?.replay ?? '', /^scripts\/bench faults --seed 1 --round 2/);
    assert.equal(first?.round, 2);
  });

test('what cannot be played is refused in one sentence', async () => {
  for (const wrong of [
    ['--seed', 'x'],
    ['--rounds', '0'],
    ['--round=-1'],
    ['--sabotage', 'all'],
    ['--what'],
  ]) {
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) =>
      execFile(process.execPath, [BENCH, 'faults', ...wrong], (error, _stdout, said) =>
        resolve({ code: error?.code, stderr: said }),
      ),
    );
    assert.equal(code, 2, wrong.join(' '));
    assert.match(stderr, /^scripts\/bench: .+\n$/);
  }
});
