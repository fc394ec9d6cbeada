import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  cameraLogins,
  LoginRefusal,
  type LoginSources,
} from '../../../../../scripts/lib/run/camera-logins.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dachawatch-logins-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const PLAIN = { main: ['rtsp://10.0.0.1/m'], sub: ['rtsp://10.0.0.1/s'] };
const read = (sources: Partial<LoginSources>) =>
  cameraLogins(
    { ...PLAIN, files: [], environment: undefined, ask: undefined, ...sources },
    new AbortController().signal,
  );
const refusal = (sources: Partial<LoginSources>, words: RegExp) =>
  assert.rejects(read(sources), (error) => error instanceof LoginRefusal && words.test(error.message));
async function loginFile(text: string, mode = 0o600): Promise<string> {
  const file = join(dir, `login-${Math.random()}`);
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}
const login = (username: string, password: string) => ({ username, password });

test('a login in one of the two addresses counts for both streams, whichever it is', async () => {
  for (const sources of [{ main: ['rtsp://u:p%40@10.0.0.1/m'] }, { sub: ['rtsp://u:p%40@10.0.0.1/s'] }]) {
    const [camera] = await read(sources);
    assert.deepEqual(camera, {
      id: 'camera-1',
      main: 'rtsp://10.0.0.1/m',
      sub: 'rtsp://10.0.0.1/s',
      login: login('u', 'p@'),
      subLogin: undefined,
    });
  }
});

test('two logins stay two, and the same one twice is one', async () => {
  const [two] = await read({ main: ['rtsp://a:1@10.0.0.1/m'], sub: ['rtsp://b:2@10.0.0.1/s'] });
  assert.deepEqual([two?.login, two?.subLogin], [login('a', '1'), login('b', '2')]);
  const [one] = await read({ main: ['rtsp://a:1@10.0.0.1/m'], sub: ['rtsp://a:1@10.0.0.1/s'] });
  assert.deepEqual([one?.login, one?.subLogin], [login('a', '1'), undefined]);
});

test('a file holds the login as it is, with any character in it', async () => {
  const file = await loginFile('viewer:p%ä ss:w/rd@#?"\n');
  assert.deepEqual((await read({ files: [file] }))[0]?.login, login('viewer', 'p%ä ss:w/rd@#?"'));
  assert.deepEqual((await read({ environment: 'viewer:' }))[0]?.login, login('viewer', ''));
});

test('a login file that others may read is refused, and none of it is repeated', async () => {
  for (const mode of [0o644, 0o640, 0o604])
    await refusal({ files: [await loginFile('u:secret', mode)] }, /chmod 600/);
  for (const text of [
    '{"username":"u","password":"secret"}',
    'secret',
    '',
    ':secret',
    'u:se\ncret',
    'u:secret\nmore',
    `u:${'s'.repeat(5000)}`,
  ])
    await assert.rejects(read({ files: [await loginFile(text)] }), (error) => {
      assert.ok(error instanceof LoginRefusal);
      return /one line, user:password|too long/.test(error.message) && !/secret|cret/.test(error.message);
    });
  await refusal({ files: [join(dir, 'not-there')] }, /cannot be read/);
});

test('one file is for all cameras, several are for one each, and another number is refused', async () => {
  const cameras = { main: ['rtsp://h/1', 'rtsp://h/2'], sub: ['rtsp://h/3', 'rtsp://h/4'] };
  const a = await loginFile('a:1');
  const b = await loginFile('b:2');
  const names = async (files: string[]) =>
    (await read({ ...cameras, files })).map((one) => one.login?.username);
  assert.deepEqual(await names([a]), ['a', 'a']);
  assert.deepEqual(await names([a, b]), ['a', 'b']);
  await refusal({ ...cameras, files: [a, b, a] }, /3 times for 2 cameras/);
});

test('a user without a password is asked for it once for each host; with nobody to ask it is refused', async () => {
  const questions: string[] = [];
  const ask = (question: string) => {
    questions.push(question);
    return Promise.resolve(`typed-${questions.length}`);
  };
  const cameras = {
    main: ['rtsp://u@h:8554/1', 'rtsp://u@g/2'],
    sub: ['rtsp://u@h:8554/3', 'rtsp://g/4'],
  };
  const [first, second] = await read({ ...cameras, ask });
  assert.deepEqual(questions, ['Password of u at h:8554: ', 'Password of u at g: ']);
  assert.deepEqual([first?.login, first?.subLogin], [login('u', 'typed-1'), undefined]);
  assert.deepEqual(second?.login, login('u', 'typed-2'));
  await refusal(cameras, /names a user and no password.*--camera-login/);
  const [given] = await read({ main: ['rtsp://u@h/1'], environment: 'u:known' });
  assert.deepEqual(given?.login, login('u', 'known'));
});

test('an address that cannot be used is refused in one sentence that names the option and not the password', async () => {
  for (const address of [
    'rtsp://u:sec%ret@h/m',
    'rtsp://u:sec/ret@h/m',
    'rtsp://u:sec@ret@h/m',
    'http://u:secret@h/',
  ])
    for (const key of ['main', 'sub'] as const)
      await assert.rejects(read({ [key]: [address] }), (error) => {
        assert.ok(error instanceof LoginRefusal);
        return (
          new RegExp(`--${key === 'main' ? 'camera' : 'sub'} `).test(error.message) &&
          !/sec|ret@/.test(error.message)
        );
      });
});
