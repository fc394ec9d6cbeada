import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { defaultFootage } from '../../../../../hardware/simulators/camera/default-footage.ts';

/** A machine whose apt-get and apt-cache do as given; the rest is real. */
function machine(t: TestContext, commands: Record<string, string>) {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-default-'));
  mkdirSync(join(dir, 'bin'));
  for (const [name, text] of Object.entries(commands)) {
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(dir, 'bin', name), 0o755);
  }
  const path = process.env['PATH'];
  process.env['PATH'] = `${join(dir, 'bin')}:${path}`;
  t.after(() => {
    process.env['PATH'] = path;
    rmSync(dir, { recursive: true });
  });
  return { dir, cache: join(dir, 'cache') };
}

/** The archive of a package that holds one file. */
function archive(dir: string, file: string, text: string): string {
  const tree = join(dir, 'tree');
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(join(tree, file, '..'), { recursive: true });
  const control =
    'Package: opencv-doc\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: test\n';
  writeFileSync(join(tree, 'DEBIAN/control'), control);
  writeFileSync(join(tree, file), text);
  const made = join(dir, 'made.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, made]);
  return made;
}

test('without a network one sentence says so, and what else can be done', async (t) => {
  const { cache } = machine(t, { 'apt-cache': '', 'apt-get': 'echo "E: Failed to fetch" >&2; exit 100' });
  await assert.rejects(defaultFootage(cache), {
    message:
      'Real footage is not to be had now (apt-get: E: Failed to fetch); try again with a network, or give a video with --video FILE.',
  });
  assert.deepEqual(readdirSync(join(cache, 'video')), []);
});

test('a package with another video in it is refused, and nothing of it is kept', async (t) => {
  const { dir, cache } = machine(t, {
    'apt-cache': '',
    'apt-get': 'cp "$(dirname "$0")/../made.deb" .; echo dlstatus:1:100:words',
  });
  archive(dir, 'usr/share/doc/opencv-doc/examples/data/vtest.avi', 'another video');
  const told: string[] = [];
  await assert.rejects(
    defaultFootage(cache, (sentence) => told.push(sentence)),
    { message: "The video in Debian's opencv-doc is not the one we know; give your own with --video FILE." },
  );
  assert.deepEqual(told, ['fetching real footage (Debian package opencv-doc): 100 %']);
  assert.deepEqual(readdirSync(join(cache, 'video')), []);
});

test('a package without the video is refused', async (t) => {
  const { dir, cache } = machine(t, { 'apt-cache': '', 'apt-get': 'cp "$(dirname "$0")/../made.deb" .' });
  archive(dir, 'usr/share/doc/opencv-doc/README', 'empty');
  await assert.rejects(
    defaultFootage(cache),
    /^Error: Debian's opencv-doc does not hold usr\/share\/.*vtest\.avi\.$/,
  );
});

test('a machine that does not know the package fetches the lists first', async (t) => {
  const { dir, cache } = machine(t, {
    'apt-cache': 'exit 100',
    'apt-get': 'echo "$*" >>"$(dirname "$0")/../calls"',
  });
  await assert.rejects(defaultFootage(cache), /brought no archive/);
  const calls = execFileSync('cat', [join(dir, 'calls')], { encoding: 'utf8' });
  assert.match(calls, / update\n.* download opencv-doc\n$/);
});
