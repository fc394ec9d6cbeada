import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cacheDir, repoRoot, stateDir } from '../../../../scripts/lib/places.ts';

function environment(t: TestContext, values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name];
    const set = (text: string | undefined) => {
      if (text === undefined) delete process.env[name];
      else process.env[name] = text;
    };
    t.after(() => set(before));
    set(value);
  }
}

test('the root is the folder of the checkout', () => {
  assert.ok(existsSync(join(repoRoot, 'package-lock.json')));
});

test('cache and state are in the home folder, elsewhere when asked', (t) => {
  const unset = {
    DACHAWATCH_CACHE: undefined,
    XDG_CACHE_HOME: '',
    DACHAWATCH_STATE: '',
    XDG_STATE_HOME: undefined,
  };
  environment(t, unset);
  assert.equal(cacheDir(), join(homedir(), '.cache/dachawatch'));
  assert.equal(stateDir(), join(homedir(), '.local/state/dachawatch'));
  environment(t, { XDG_CACHE_HOME: '/x', XDG_STATE_HOME: '/y' });
  assert.deepEqual([cacheDir(), stateDir()], ['/x/dachawatch', '/y/dachawatch']);
  environment(t, { DACHAWATCH_CACHE: '/c', DACHAWATCH_STATE: '/s' });
  assert.deepEqual([cacheDir(), stateDir()], ['/c', '/s']);
});
