import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { createLedger, type Ledger } from '../../../agent/ledger/ledger.ts';
import {
  FRAGMENT_BYTES,
  moveOf,
  recoverFragments,
  seededRandom,
  sha256Of,
  TOLD_MOVES,
} from './ledger-fragments.ts';
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
  const events: Events = { told: new Set(), sending: new Map(), sent: new Set() };

  for (let round = 0; round < ROUNDS; round++) {
    for (const message of await workUntilKilled(t, dir, SEED + round, random)) {
      if (message.did === 'started') continue;
      if (message.did === 'told' || message.did === 'sending' || message.did === 'sent') {
        note(events, message);
        continue;
      }
      const clip = confirmed.get(message.clipId) ?? { done: new Set<string>() };
      clip.done.add(message.did);
      if ('sha256' in message && message.sha256 !== undefined) clip.sha256 = message.sha256;
      confirmed.set(message.clipId, clip);
    }
    await afterwards(dir, confirmed, events, round);
  }
  assert.ok(confirmed.size > ROUNDS, `${confirmed.size} clips in ${ROUNDS} rounds`);
  assert.ok(events.sent.size > 0 && events.told.size > 0, 'events were told and sent');
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
  const deadline = setTimeout(() => child.kill('SIGABRT'), 240_000);
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  clearTimeout(deadline);
  assert.equal(signal, 'SIGKILL', 'the victim ended by itself');
  return said;
}

async function afterwards(
  dir: string,
  confirmed: ReadonlyMap<string, { done: Set<string>; sha256?: string }>,
  events: Events,
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
    checkEvents(ledger, events);
    for (const clip of ledger.clips({ limit: 100_000 }))
      assert.notEqual(clip.state, 'recording', 'nothing is left half done');
    assert.ok(!existsSync(join(dir, 'quarantine')) || readdirSync(join(dir, 'quarantine')).length === 0);
  } finally {
    ledger.close();
  }
}

/** What the victims said about events. */
interface Events {
  /** Names of events about no clip that the ledger has confirmed. */
  readonly told: Set<string>;
  /** About to be settled: the ledger may have them or not. The move of a clip by event id, if it is about one. */
  readonly sending: Map<string, string | null>;
  /** Settled: must never come again. */
  readonly sent: Set<string>;
}

function note(events: Events, message: Extract<Confirmed, { did: 'told' | 'sending' | 'sent' }>): void {
  if (message.did === 'told') events.told.add(message.name);
  else if (message.did === 'sending') events.sending.set(message.eventId, message.move);
  else events.sent.add(message.eventId);
}

/** An event of a clip is there, or was being sent, exactly as often as its custody has the move. */
function checkEvents(ledger: Ledger, { told, sending, sent }: Events): void {
  const waiting = ledger.outgoing(100_000);
  const ids = new Set(waiting.map(({ eventId }) => eventId));
  for (const id of sent) assert.ok(!ids.has(id), `event ${id} was settled and came again`);
  const count = new Map<string, number>();
  const add = (move: string | null, n: number) =>
    move !== null && count.set(move, (count.get(move) ?? 0) + n);
  for (const event of waiting) add(moveOf(event), 1);
  for (const [id, move] of sending) if (!ids.has(id)) add(move, 1);
  for (const { clipId } of ledger.clips({ limit: 100_000 }))
    for (const { event } of ledger.custody(clipId))
      if (TOLD_MOVES.includes(event)) add(`${clipId} ${event}`, -1);
  assert.deepEqual(
    [...count].filter(([, n]) => n !== 0),
    [],
    'moves and events differ',
  );
  const names = new Set(
    waiting.map(({ body }) => (JSON.parse(body) as { data: { detail?: string } }).data.detail),
  );
  const gone = [...told].filter((name) => !names.has(name)).length;
  const goneByRight = [...sending].filter(([id, move]) => move === null && !ids.has(id)).length;
  assert.ok(gone <= goneByRight, `${gone} told events are gone, ${goneByRight} were sent`);
  assert.equal(ledger.summary().eventsDropped, 0);
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
