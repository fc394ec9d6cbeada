import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BASE, bench } from './desired-bench.ts';

const TRIANGLE = [
  [0, 0],
  [1, 0],
  [1, 1],
];
const NEW = { main: 'rtsp://new/1', sub: 'rtsp://new/2' };

test('without a twin appliance.json is in force, and version 0 was seen', () => {
  const desired = bench();
  assert.deepEqual(desired.settings(), BASE);
  assert.deepEqual(desired.desired(), { version: 0, refused: [] });
});

test('a desired property changes what it names and nothing else', () => {
  const desired = bench();
  desired.setDesired({ recording: { postRollMs: 20_000 }, cameras: { yard: { sensitivity: 8 } } });
  const [yard, gate] = BASE.cameras;
  const expected = {
    recording: { preRollMs: 5_000, postRollMs: 20_000 },
    cameras: [{ ...yard, sensitivity: 8 }, gate],
  };
  assert.deepEqual(desired.settings(), expected);
  assert.deepEqual(desired.applied, [expected]);
  assert.deepEqual(desired.desired(), { version: 1, refused: [] });
});

test('a value that does not fit is refused by itself, and the last accepted one stays, also after a restart', () => {
  const desired = bench();
  desired.setDesired({ recording: { postRollMs: 20_000, preRollMs: 1_000 } });
  desired.setDesired({ recording: { postRollMs: 5, preRollMs: 2_000 } });
  for (const now of [desired, bench(desired.dir)]) {
    assert.deepEqual(now.settings().recording, { preRollMs: 2_000, postRollMs: 20_000 });
    assert.equal(now.desired().version, 2);
    assert.deepEqual(now.reasons(), {
      '/recording/postRollMs': 'must be a whole number from 1000 to 300000',
    });
  }
});

test('a key that went is as in appliance.json again; null is a key that went', () => {
  const desired = bench();
  desired.setDesired({
    recording: { postRollMs: 20_000 },
    cameras: { yard: { sensitivity: 8, title: 'Hof' } },
  });
  desired.setDesired({ cameras: { yard: { sensitivity: null, title: 'Hof' }, gate: null } });
  assert.deepEqual(desired.settings().recording, BASE.recording);
  assert.equal(desired.camera('yard')?.sensitivity, 5);
  assert.equal(desired.camera('yard')?.title, 'Hof');
  desired.setDesired({});
  assert.deepEqual(desired.settings(), BASE);
});

test('the same document again applies nothing', () => {
  const desired = bench();
  const document = { version: 7, properties: { recording: { postRollMs: 20_000 } } };
  desired.take(document);
  desired.take(document);
  desired.take({ ...document, version: 8 });
  assert.equal(desired.applied.length, 1);
  assert.equal(desired.desired().version, 8);
});

test('a smaller version is what the hub says now: it is taken', () => {
  const desired = bench();
  desired.take({ version: 40, properties: { recording: { postRollMs: 20_000 } } });
  desired.take({ version: 2, properties: { recording: { postRollMs: 9_000 } } });
  assert.equal(desired.settings().recording.postRollMs, 9_000);
  assert.equal(desired.desired().version, 2);
});

test('a camera that only the twin knows comes with main and sub, and goes with its key', () => {
  const desired = bench();
  desired.setDesired({ cameras: { barn: { ...NEW, credential: 'camera-new' } } });
  assert.deepEqual(desired.camera('barn'), { id: 'barn', ...NEW, credential: 'camera-new', sensitivity: 5 });
  assert.deepEqual(
    bench(desired.dir)
      .settings()
      .cameras.map(({ id }) => id),
    ['yard', 'gate', 'barn'],
  );
  desired.setDesired({ cameras: {} });
  assert.equal(desired.camera('barn'), undefined);
});

test('an unknown camera without valid main and sub is refused as a whole', () => {
  const desired = bench();
  desired.setDesired({ cameras: { barn: { main: NEW.main, sub: 'http://new/2', sensitivity: 3 } } });
  assert.equal(desired.camera('barn'), undefined);
  assert.match(desired.reasons()['/cameras/barn'] ?? '', /needs a valid main and sub/);
  assert.match(desired.reasons()['/cameras/barn/sub'] ?? '', /begin with rtsp:/);
});

test('a camera of the twin that loses an address stays as it was', () => {
  const desired = bench();
  desired.setDesired({ cameras: { barn: { ...NEW, sensitivity: 4 } } });
  desired.setDesired({ cameras: { barn: { main: NEW.main, sensitivity: 9 } } });
  assert.deepEqual(desired.camera('barn'), { id: 'barn', ...NEW, sensitivity: 4 });
  assert.match(desired.reasons()['/cameras/barn'] ?? '', /needs a valid main and sub/);
  desired.setDesired({ cameras: { barn: { main: 'nonsense', sub: 'rtsp://new/3' } } });
  assert.deepEqual(desired.camera('barn'), {
    id: 'barn',
    main: NEW.main,
    sub: 'rtsp://new/3',
    sensitivity: 5,
  });
});

test('beyond sixteen cameras the surplus is refused, and those that run are not put out by it', () => {
  const many = (ids: string[]) => ({ cameras: Object.fromEntries(ids.map((id) => [id, NEW])) });
  const ids = Array.from({ length: 14 }, (_, n) => `m${n + 10}`);
  const desired = bench();
  desired.setDesired(many(ids));
  assert.equal(desired.settings().cameras.length, 16);
  desired.setDesired(many([...ids, 'a1', 'z1']));
  assert.deepEqual(
    desired.settings().cameras.map(({ id }) => id),
    ['yard', 'gate', ...ids],
  );
  assert.deepEqual(desired.reasons(), {
    '/cameras/a1': 'the appliance has at most 16 cameras',
    '/cameras/z1': 'the appliance has at most 16 cameras',
  });
});

test('names that objects have by birth are names like others', () => {
  const desired = bench();
  desired.setDesired(
    JSON.parse('{"cameras":{"constructor":{"sensitivity":3},"yard":{"toString":1,"__proto__":{}}}}'),
  );
  assert.deepEqual(desired.settings(), BASE);
  assert.deepEqual(Object.keys(desired.reasons()), [
    '/cameras/constructor',
    '/cameras/yard/toString',
    '/cameras/yard/__proto__',
  ]);
});

test('what is mistyped is named: properties, sections, ids and what lies inside a zone', () => {
  const desired = bench();
  desired.setDesired({
    recordng: { postRollMs: 9_000 },
    recording: { postRoll: 9 },
    cameras: {
      yard: { sensitvity: 3, zones: [{ id: 'a', polygon: TRIANGLE, minSze: 0.1 }] },
      'a b': NEW,
      gate: 5,
    },
  });
  assert.deepEqual(desired.settings(), BASE);
  const reasons = desired.reasons();
  assert.match(reasons['/recordng'] ?? '', /unknown section/);
  for (const path of ['/recording/postRoll', '/cameras/yard/sensitvity', '/cameras/yard/zones/0/minSze'])
    assert.equal(reasons[path], 'unknown property');
  assert.match(reasons['/cameras/a b'] ?? '', /the id of a camera must be a name of 1 to 63/);
  assert.equal(reasons['/cameras/gate'], 'must be an object');
});

test('sections of the contract that this version does not obey are named; those of others are left alone', () => {
  const desired = bench();
  desired.setDesired({
    power: { lowVolts: 9 },
    firmware: {},
    $version: 4,
    $metadata: {},
    deviceUpdate: { __t: 'c' },
  });
  assert.deepEqual(desired.reasons(), {
    '/power': 'this version does not apply it',
    '/firmware': 'this version does not apply it',
  });
});

test('a section that is no object changes nothing', () => {
  const desired = bench();
  desired.setDesired({ recording: { postRollMs: 20_000 }, cameras: { barn: NEW } });
  const before = desired.settings();
  desired.setDesired({ recording: 7, cameras: ['barn'] });
  assert.deepEqual(desired.settings(), before);
  assert.deepEqual(Object.keys(desired.reasons()), ['/recording', '/cameras']);
});

test('an address with a login is refused with how to remove it from the twin, and the login is said nowhere', () => {
  for (const address of [
    'rtsp://admin:hunter2@cam/1',
    'rtsp://cam/1?user=admin&password=hunter2',
    'rtsp://cam:554/user=admin_password=hunter2_channel=1',
    'rtsp://admin:hunt/er2@cam/1',
    'RTSP://admin:hunter2@cam/1',
  ]) {
    const desired = bench();
    desired.setDesired({ cameras: { yard: { main: address } } });
    assert.equal(desired.camera('yard')?.main, 'rtsp://yard/1');
    assert.match(
      desired.reasons()['/cameras/yard/main'] ?? '',
      /login.*--unset \/cameras\/yard\/main, or set it to null\), change the password.*credential file/,
    );
    assert.doesNotMatch(JSON.stringify([desired.desired(), desired.lines]), /hunter2/);
  }
});

test('a property named like a password is refused with how to remove it, wherever it stands', () => {
  for (const cameras of [
    { yard: { password: 'hunter2' } },
    { yard: { credential: { username: 'admin', password: 'hunter2' } } },
    { yard: { zones: [{ id: 'z', pwd: 'hunter2' }] } },
  ]) {
    const desired = bench();
    desired.setDesired({ cameras });
    const [path = '', reason = ''] = Object.entries(desired.reasons())[0] ?? [];
    assert.ok(reason.includes(`--unset ${path}, or set it to null), change the password`), reason);
    assert.doesNotMatch(JSON.stringify([desired.desired(), desired.lines]), /hunter2/);
  }
});

test('a camera without a login, on any port, is no secret', () => {
  const desired = bench();
  const main = 'rtsp://cam:8554/1?passage=2';
  desired.setDesired({ cameras: { yard: { main } } });
  assert.deepEqual(desired.reasons(), {});
  assert.equal(desired.camera('yard')?.main, main);
});

test('a credential that the appliance does not hold is refused', () => {
  const desired = bench();
  desired.setDesired({ cameras: { yard: { credential: 'camera-new' }, gate: { credential: 'lost' } } });
  assert.equal(desired.camera('yard')?.credential, 'camera-new');
  assert.equal(desired.camera('gate')?.credential, 'camera-gate');
  assert.deepEqual(desired.reasons(), {
    '/cameras/gate/credential': 'the appliance holds no such credential',
  });
});

test('fifty refusals are named, the others are counted, and the report stays small', () => {
  const desired = bench();
  const typos = Array.from({ length: 63 }, (_, n) => [`x${'y'.repeat(900)}${n}`, 1]);
  desired.setDesired({ recording: Object.fromEntries(typos) });
  const { refused } = desired.desired();
  assert.equal(refused.length, 51);
  assert.deepEqual(refused.at(-1), { path: '', reason: '13 more values were refused' });
  assert.ok(Buffer.byteLength(JSON.stringify(refused)) < 16_384);
});

/** What the log says of documents that were taken: its level (30 tells, 40 warns), and what it names. */
const taken = (lines: readonly string[]) =>
  lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === 'desired.taken')
    .map(({ level, version, changed, refused, refusedInAll, msg }) => ({
      level,
      version,
      changed,
      refused,
      refusedInAll,
      msg,
    }));

test('the log says what came of a document, once: that it is in force, or what was refused, of much the first five', () => {
  const desired = bench();
  const good = { version: 1, properties: { recording: { postRollMs: 20_000 } } };
  desired.take(good);
  desired.take(good);
  assert.deepEqual(taken(desired.lines), [
    {
      level: 30,
      version: 1,
      changed: true,
      refused: [],
      refusedInAll: 0,
      msg: 'the desired properties are in force',
    },
  ]);
  const strange = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`strange${n}`, n]));
  desired.take({ version: 2, properties: { ...good.properties, ...strange(1) } });
  desired.take({ version: 2, properties: { ...good.properties, ...strange(7) } });
  const [, one, seven, ...more] = taken(desired.lines);
  assert.deepEqual(more, []);
  assert.deepEqual(
    [one, seven].map((line) => [line?.level, line?.changed, line?.refusedInAll, line?.msg]),
    [1, 7].map((count) => [40, false, count, 'some desired properties were refused']),
  );
  const paths = (refused: unknown) => (refused as readonly { path: string }[]).map(({ path }) => path);
  assert.deepEqual(paths(one?.refused), ['/strange0']);
  assert.deepEqual(paths(seven?.refused), ['/strange0', '/strange1', '/strange2', '/strange3', '/strange4']);
  // Only its number is another one: that is news, too.
  desired.take({ version: 3, properties: { ...good.properties, ...strange(7) } });
  assert.equal(taken(desired.lines).length, 4);
});
