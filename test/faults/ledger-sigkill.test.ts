import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../agent/kernel/clock.ts';
import { createLog } from '../../agent/kernel/log.ts';
import { createLedger, type Ledger } from '../../agent/ledger/ledger.ts';
import { FRAGMENT_BYTES, recoverFragments, seededRandom, sha256Of } from './ledger-fragments.ts';
import type { Confirmed } from './ledger-victim.ts';

const ROUNDS = 10;
const SEED = 20_261_121;
const REASONS = [
  /^file removed: byte budget$/,
  /^the camera went away$/,
  /^the writer ended before anything was on disk$/,
  /^the writer ended before a playable fragment was on disk$/,
];

test(`killed ${ROUNDS} times at random points, the ledger loses nothing it has confirmed and explains every clip`, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-sigkill-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const random = seededRandom(SEED);
  const confirmed = new Map<string, { done: Set<string>; sha256?: string }>();

  for (let round = 0; round < ROUNDS; round++) {
    for (const message of await workUntilKilled(t, dir, SEED + round, random)) {
      if (message.did === 'started') continue;
      const clip = confirmed.get(message.clipId) ?? { done: new Set<string>() };
      clip.done.add(message.did);
      if ('sha256' in message && message.sha256 !== undefined) clip.sha256 = message.sha256;
      confirmed.set(message.clipId, clip);
    }
    await afterwards(dir, confirmed, round);
  }
  assert.ok(confirmed.size > ROUNDS, `${confirmed.size} clips in ${ROUNDS} rounds`);
});

/** @returns what the victim said before it was killed */
async function workUntilKilled(
  t: TestContext,
  dir: string,
  seed: number,
  random: () => number,
): Promise<Confirmed[]> {
  const said: Confirmed[] = [];
  const child = fork(join(import.meta.dirname, 'ledger-victim.ts'), [dir, String(seed)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const enough = 1 + Math.floor(random() * 60);
  const extraMs = random() * 10;
  child.on('message', (message: Confirmed) => {
    said.push(message);
    // Somewhere within the next step: a number of messages chooses the step, milliseconds the place in it.
    if (said.length === enough) setTimeout(() => child.kill('SIGKILL'), extraMs);
  });
  const deadline = setTimeout(() => child.kill('SIGABRT'), 60_000);
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  clearTimeout(deadline);
  assert.equal(signal, 'SIGKILL', 'the victim ended by itself');
  return said;
}

async function afterwards(
  dir: string,
  confirmed: ReadonlyMap<string, { done: Set<string>; sha256?: string }>,
  round: number,
): Promise<void> {
  const ledger = createLedger({
    dir,
    clock: systemClock,
    log: createLog('silent'),
    maxBytes: 1e9,
    leaseMs: 60_000,
    minFreeBytes: 0,
    recoverTorn: recoverFragments,
  });
  try {
    const first = await ledger.check({ repair: true });
    assert.deepEqual(first.problems, [], `round ${round}`);
    const second = await ledger.check({ repair: true, deep: true });
    assert.deepEqual(second, {
      clips: first.clips,
      ok: first.clips,
      repaired: 0,
      repairable: 0,
      problems: [],
    });
    ledger.drainInbox();
    for (const [clipId, { done, sha256 }] of confirmed) explain(ledger, clipId, done, sha256);
    for (const clip of ledger.clips({ limit: 100_000 }))
      assert.notEqual(clip.state, 'recording', 'nothing is left half done');
    assert.ok(!existsSync(join(dir, 'quarantine')) || readdirSync(join(dir, 'quarantine')).length === 0);
  } finally {
    ledger.close();
  }
}

function explain(
  ledger: Ledger,
  clipId: string,
  done: ReadonlySet<string>,
  sha256: string | undefined,
): void {
  const clip = ledger.clip(clipId);
  assert.ok(clip, `clip ${clipId} was confirmed and has no row`);
  if (clip.state === 'lost') {
    assert.ok(
      REASONS.some((reason) => reason.test(clip.reason ?? '')),
      `${clipId}: "${clip.reason}"`,
    );
    assert.ok(!done.has('uploaded'), `${clipId} was uploaded and cannot be lost`);
    return;
  }
  if (done.has('uploaded')) assert.match(clip.state, /^(uploaded|judged)$/);
  if (done.has('stored') || done.has('judged')) assert.equal(clip.state, 'judged', 'its verdict was stored');
  if (sha256 === undefined) return;
  assert.equal(clip.sha256, sha256);
  if (existsSync(clip.file)) assert.equal(sha256Of(clip.file), sha256);
  assert.equal((clip.bytes ?? 1) % FRAGMENT_BYTES, 0);
}
