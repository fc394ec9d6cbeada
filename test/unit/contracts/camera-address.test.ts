import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraConfig, parseWithDefaults, readCameraAddress } from '../../../contracts/index.ts';

const problem = (text: string): string => {
  const read = readCameraAddress(text);
  return 'problem' in read ? read.problem : '';
};

test('an address is taken apart, and its login decoded', () => {
  assert.deepEqual(readCameraAddress('rtsp://viewer:p%40%2F%3F%23%25%20%C3%A9:x@10.0.0.1:8554/a/b?c=d&e'), {
    address: 'rtsp://10.0.0.1:8554/a/b?c=d&e',
    login: { username: 'viewer', password: 'p@/?#% é:x' },
  });
  assert.deepEqual(readCameraAddress('RTSPS://cam.local'), { address: 'rtsps://cam.local' });
  assert.deepEqual(readCameraAddress('rtsp://viewer@[fd00::20]:554/x'), {
    address: 'rtsp://[fd00::20]:554/x',
    login: { username: 'viewer', password: undefined },
  });
  for (const good of ['rtsp://h/x%20y', 'rtsp://h:65535/', 'rtsp://a_b-c.d/', 'rtsp://h?x', 'rtsp://u:@h/'])
    assert.equal(problem(good), '', good);
});

test('each character that a password may not hold as it is, is met with how it is written', () => {
  for (const [character, code] of [
    ['@', '%40'],
    ['/', '%2F'],
    ['?', '%3F'],
    ['#', '%23'],
    ['%', '%25'],
    [' ', '%20'],
    ['"', '%22'],
    ['é', '%C3%A9'],
  ] as const)
    for (const password of [`${character}word`, `pass${character}word`, `password${character}`]) {
      const said = problem(`rtsp://viewer:${password}@10.0.0.1/main`);
      assert.ok(said.includes(code), `${password}: ${said}`);
      assert.doesNotMatch(said, /word/);
    }
});

test('what is no address of a camera is refused with what is wrong', () => {
  for (const [text, words] of [
    ['', /begin with rtsp/],
    ['10.0.0.1/main', /begin with rtsp/],
    ['http://h/', /begin with rtsp/],
    [' rtsp://h/', /begin with rtsp/],
    ['rtsp:///main', /names no host/],
    ['rtsp://:554/main', /names no host/],
    ['rtsp://u:p@/main', /names no host/],
    ['rtsp://:p@h/main', /names no user/],
    ['rtsp://@h/main', /names no user/],
    ['rtsp://h:0/', /port/],
    ['rtsp://h:99999/', /port/],
    ['rtsp://h:/', /port/],
    ['rtsp://h:80a/', /port/],
    ['rtsp://fd00::20/main', /brackets/],
    ['rtsp://[fd00::zz]/main', /no IPv6 address/],
    ['rtsp://[]/main', /no IPv6 address/],
    ['rtsp://[::1/main', /brackets|host/],
    ['rtsp://10.0.0.256/', /no IPv4/],
    ['rtsp://10.0.1/', /no IPv4/],
    ['rtsp://ho$t/', /host names do not have/],
    ['rtsp://h/main rtsp://h/sub', /space/],
    ['rtsp://h/main\n', /line break/],
    ['rtsp://h/a@b', /%40/],
    ['rtsp://h/a#b', /%23/],
    ['rtsp://h/%zz', /%25/],
    ['rtsp://u:%ff@h/', /% codes that stand for no letter/],
    ['rtsp://u:a%00b@h/', /cannot be printed/],
    ['rtsp://u:a%0ab@h/', /cannot be printed/],
    [`rtsp://h/${'a'.repeat(2000)}`, /longer than 1024/],
  ] as const)
    assert.match(problem(text), words, text);
});

test('no garbage makes the reader throw, and what it accepts every other reader accepts', () => {
  const pieces = [
    'rtsp://',
    'RTSPS://',
    'u',
    ':',
    '@',
    '%',
    '%4',
    '%40',
    '/',
    '?',
    '#',
    '[',
    ']',
    '::1',
    '999999',
    '.',
    'é',
    '\ud800',
    '\0',
  ];
  let seed = 7;
  const pick = () => pieces[(seed = (seed * 48271) % 2147483647) % pieces.length] ?? '';
  for (let count = 0; count < 20_000; count++) {
    const read = readCameraAddress(`rtsp://${Array.from({ length: 1 + (count % 8) }, pick).join('')}`);
    if ('problem' in read) continue;
    assert.notEqual(new URL(read.address).hostname, '');
    assert.equal(new URL(read.address).username, '');
    assert.doesNotThrow(() =>
      parseWithDefaults(CameraConfig, { id: 'gate', main: read.address, sub: 'rtsp://h/s' }),
    );
  }
});

test('appliance.json says in words what is wrong with an address, and repeats none of it', () => {
  const refusal = (main: string) => {
    try {
      parseWithDefaults(CameraConfig, { id: 'gate', main, sub: 'rtsp://h/s' });
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  assert.match(
    refusal('rtsp://u:secret@h/m'),
    /\/main must be an address like .*holds a login.*credential file/,
  );
  assert.match(refusal('rtsp://u:sec/ret@h/m'), /%2F/);
  assert.match(refusal('rtsp://h:0/m'), /port/);
  assert.match(refusal('RTSP://h/m'), /small letters/);
  for (const main of ['rtsp://u:secret@h/m', 'rtsp://u:secret%@h/m', 'rtsp://u:secret#@h/m'])
    assert.doesNotMatch(refusal(main), /secret/);
});
