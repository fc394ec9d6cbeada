import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BASE, bench, folder } from './desired-bench.ts';

const FILE = 'desired-settings.json';
const DESIRED = {
  recording: { postRollMs: 20_000 },
  cameras: { yard: { credential: 'camera-new', sensitivity: 9 } },
};

test('without a link the settings that were accepted last are in force after a restart', () => {
  const before = bench();
  before.setDesired(DESIRED);
  const after = bench(before.dir);
  assert.deepEqual(after.settings(), before.settings());
  assert.deepEqual(after.desired(), before.desired());
  assert.deepEqual(after.applied, []);
});

test('the file is for its owner only, and nothing is left beside it', () => {
  const desired = bench();
  desired.setDesired(DESIRED);
  assert.equal(statSync(join(desired.dir, FILE)).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(desired.dir), [FILE]);
});

test('what was accepted is in the file before it is applied', () => {
  const dir = folder();
  const seen: string[] = [];
  const desired = bench(dir);
  desired.applied.push = () => seen.push(readFileSync(join(dir, FILE), 'utf8'));
  desired.setDesired(DESIRED);
  assert.match(seen[0] ?? '', /"postRollMs": 20000/);
});

test('nothing is written when nothing changed', () => {
  const desired = bench();
  const document = { version: 3, properties: DESIRED };
  desired.take(document);
  rmSync(join(desired.dir, FILE));
  desired.take(document);
  assert.ok(!existsSync(join(desired.dir, FILE)));
});

for (const [what, content] of [
  ['cut short', '{"schema":"dachawatch/desired-settings/1","vers'],
  ['empty', ''],
  ['of another kind', '{"schema":"something/else/1","version":1,"properties":{},"refused":[]}'],
  ['no object', 'null'],
  [
    'with refusals that are none',
    '{"schema":"dachawatch/desired-settings/1","version":1,"properties":{},"refused":[3]}',
  ],
] as const)
  test(`a file that is ${what} is kept aside and said; appliance.json stands`, () => {
    const dir = folder();
    writeFileSync(join(dir, FILE), content);
    const desired = bench(dir);
    assert.deepEqual(desired.settings(), BASE);
    assert.deepEqual(desired.desired(), { version: 0, refused: [] });
    assert.equal(readFileSync(join(dir, `${FILE}.bad`), 'utf8'), content);
    assert.match(desired.lines[0] ?? '', /desired\.unreadable/);
    desired.setDesired(DESIRED);
    assert.equal(bench(dir).settings().recording.postRollMs, 20_000);
  });

test('what another version or another appliance.json left is read like a message: what fits stays', () => {
  const dir = folder();
  const properties = {
    recording: { postRollMs: 999_999_999, preRollMs: 1_000, longestMs: 5 },
    cameras: { yard: { credential: 'lost', sensitivity: 9 }, shed: { sensitivity: 2 } },
  };
  writeFileSync(
    join(dir, FILE),
    JSON.stringify({ schema: 'dachawatch/desired-settings/1', version: 4, properties, refused: [] }),
  );
  const desired = bench(dir);
  assert.deepEqual(desired.settings().recording, { preRollMs: 1_000, postRollMs: 30_000 });
  assert.equal(desired.camera('yard')?.sensitivity, 9);
  assert.equal(desired.camera('yard')?.credential, undefined);
  assert.equal(desired.camera('shed'), undefined);
  assert.match(desired.lines[0] ?? '', /desired\.outdated/);
  // What fits says nothing at a start; one thing that does not is told.
  const alone = { recording: { postRollMs: 999_999_999 } };
  for (const [kept, told] of [
    [{ recording: { preRollMs: 1_000 } }, 0],
    [alone, 1],
  ] as const) {
    const other = folder();
    writeFileSync(
      join(other, FILE),
      JSON.stringify({ schema: 'dachawatch/desired-settings/1', version: 4, properties: kept, refused: [] }),
    );
    const { lines } = bench(other);
    assert.equal(lines.filter((line) => line.includes('desired.outdated')).length, told);
  }
});

test('a folder that cannot be written: applied, said, and written as soon as it can be', () => {
  const dir = join(folder(), 'state');
  writeFileSync(dir, 'a file where a folder should be');
  const desired = bench(dir);
  desired.take({ version: 1, properties: DESIRED });
  assert.equal(desired.settings().recording.postRollMs, 20_000);
  assert.equal(desired.applied.length, 1);
  assert.ok(desired.lines.some((line) => line.includes('desired.not-saved')));
  rmSync(dir);
  desired.take({ version: 1, properties: DESIRED });
  assert.equal(bench(dir).settings().recording.postRollMs, 20_000);
});

test('a file that cannot be read does not keep the agent from starting', () => {
  const dir = folder();
  mkdirSync(join(dir, FILE));
  const desired = bench(dir);
  assert.deepEqual(desired.settings(), BASE);
  desired.setDesired(DESIRED);
  assert.equal(bench(dir).settings().recording.postRollMs, 20_000);
});

test('a file of a mebibyte is read, one with a byte more is not', () => {
  const dir = folder();
  bench(dir).setDesired(DESIRED);
  const text = readFileSync(join(dir, FILE), 'utf8');
  writeFileSync(join(dir, FILE), text.padEnd(1024 * 1024, ' '));
  assert.equal(bench(dir).settings().recording.postRollMs, 20_000);
  writeFileSync(join(dir, FILE), text.padEnd(1024 * 1024 + 1, ' '));
  assert.deepEqual(bench(dir).settings(), BASE);
});

test('a file that can be neither used nor set aside is told twice, and replaced by the next settings', () => {
  const dir = folder();
  writeFileSync(join(dir, FILE), 'nonsense');
  mkdirSync(join(dir, `${FILE}.bad`, 'in-the-way'), { recursive: true });
  const desired = bench(dir);
  assert.deepEqual(desired.settings(), BASE);
  assert.match(desired.lines[0] ?? '', /desired\.unreadable/);
  assert.match(desired.lines[1] ?? '', /desired\.not-set-aside/);
  desired.setDesired(DESIRED);
  assert.equal(bench(dir).settings().recording.postRollMs, 20_000);
});

test('a pipe or a huge file in its place does not keep the agent from starting, and is set aside', () => {
  const dir = folder();
  for (const make of [
    (file: string) => execFileSync('mkfifo', [file]),
    (file: string) => {
      writeFileSync(file, '');
      truncateSync(file, 2 ** 40);
    },
  ]) {
    rmSync(join(dir, `${FILE}.bad`), { force: true });
    make(join(dir, FILE));
    const desired = bench(dir);
    assert.deepEqual(desired.settings(), bench().settings());
    assert.ok(existsSync(join(dir, `${FILE}.bad`)));
    rmSync(join(dir, FILE), { force: true });
  }
});
