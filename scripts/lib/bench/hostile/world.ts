/** The product's functions app on a hostile host, in a world whose time, storage, worker and webhook are played here. The
 *  host, its history, its HTTP and the Durable Functions library are the real ones. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CONTAINER_CLIPS,
  decodeProcessingRequest,
  parseDocument,
  QUEUE_PROCESSED,
  QUEUE_TO_PROCESSING,
  Verdict,
  verdictBlobName,
} from '@dachawatch/contracts';
import { usePorts } from '../../../../cloud-fn/functions/composition.ts';
import { instanceIdOf } from '../../../../cloud-fn/functions/clip-of-blob.ts';
import { loadApp, type LoadedApp } from '../../../../cloud-fn/local/functions-host/core-api.ts';
import { createFunctionsHost } from '../../../../cloud-fn/local/functions-host/functions-host.ts';
import { readHostSettings } from '../../../../cloud-fn/local/functions-host/host-json.ts';
import { createHostility } from '../../../../cloud-fn/local/functions-host/hostile/hostility.ts';
import { createInvoker } from '../../../../cloud-fn/local/functions-host/triggers/invoke.ts';
import { createNotificationOutbox } from '../../../../cloud-fn/ports/notification-outbox.ts';
import { createNotificationQueue } from '../../../../cloud-fn/ports/notification-queue.ts';
import { OPEN_CLIPS_PREFIX } from '../../../../cloud-fn/ports/instance-places.ts';
import { CONTAINER_INSTANCES } from '../../../../cloud-fn/ports/storage.ts';
import { createFakeDeviceLink } from '../../../../test/fakes/cloud/device-link-port.ts';
import { createFakeStorage } from '../../../../test/fakes/cloud/storage-port.ts';
import { createVirtualHostClock } from '../../../../test/fakes/cloud/virtual-host-clock.ts';
import { createRandom } from '../faults/random.ts';
import { createBeginnings } from './beginnings.ts';
import { clipsOf, type HostileClip, messageOf, WAIT_MS } from './clips.ts';
import { createHearing } from './hearing.ts';
import { createLives } from './lives.ts';
import { createMailbox } from './mailbox.ts';
import { watching } from './watched-storage.ts';

const APP = new URL('../../../../cloud-fn/functions/app.ts', import.meta.url).pathname;
const HOST_JSON = new URL('../../../../cloud-fn/host.json', import.meta.url).pathname;
/** Where files are in memory: nothing here outlives the run, and waiting for a disk would take most of the time. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const START_MS = Date.UTC(2026, 10, 30, 12);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const WORKER_LOOKS_MS = 5_000;
/** Everything must be over by then; what nobody ends in a day nobody ends. */
const WITHIN_MS = 24 * HOUR_MS;
/** So long nothing may change any more. */
const AFTERWARDS_MS = 45 * MINUTE_MS;
const STEP_MS = 5 * MINUTE_MS;
/** After so many turns of the event loop without work nothing moves until time passes. */
const QUIET_TURNS = 6;
const SETTLES_WITHIN_MS = 60_000;
/** A dying app still makes fewer calls to the outside than these. */
const CALLS_BEFORE_DEATH = 8;

/** The product's app: loaded once in a process. */
let loaded: Promise<LoadedApp> | undefined;

/** Breaks the product on purpose: what this finds is there to be found. */
export const SABOTAGE = ['no-keeper'] as const;
export type Sabotage = (typeof SABOTAGE)[number];

export interface Played {
  readonly clips: readonly HostileClip[];
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Revisions of each clip's verdict, in the order in which they were stored. */
  readonly revisions: ReadonlyMap<string, readonly number[]>;
  /** Names of clips that nobody has closed. */
  readonly open: readonly string[];
  readonly hearing: ReturnType<typeof createHearing>;
  readonly deaths: number;
  /** Instances of orchestrations, and how many of them failed for good. */
  readonly instances: number;
  readonly failed: number;
  /** By the world's own clock. */
  readonly minutes: number;
  /** What happened, a line each, by the world's own clock. */
  readonly journal: readonly string[];
}

// oxlint-disable-next-line max-lines-per-function -- one world: its parts know each other, and everything ends with it
export async function playSeed(
  seed: number,
  count: number,
  signal: AbortSignal,
  sabotage?: Sabotage,
): Promise<Played> {
  const app = await (loaded ??= loadApp(APP));
  const random = createRandom(seed);
  const clips = clipsOf(random, count);
  const time = createVirtualHostClock(START_MS);
  const { clock } = time;
  const journal: string[] = [];
  const say = (line: string) =>
    void journal.push(`${((clock.nowMs() - START_MS) / MINUTE_MS).toFixed(2)} ${line}`);
  const storage = createFakeStorage();
  Object.defineProperty(storage, 'nowMs', { get: () => clock.nowMs() });
  const asleep = (ms: number, signal?: AbortSignal) =>
    lives.waiting(
      new Promise<void>((resolve, reject) => {
        const cancel = clock.wakeAt(clock.nowMs() + ms, resolve);
        signal?.addEventListener('abort', () => {
          cancel();
          reject(signal.reason as Error);
        });
      }),
    );
  const hearing = createHearing(clips, asleep);
  const revisions = new Map<string, number[]>();
  const watched = watching(storage.port, revisions, hearing, say);
  const deviceLink = createFakeDeviceLink();
  const log = {
    info: (fields: object, message: string) => say(`${JSON.stringify(fields)} ${message}`),
    warn: (fields: object, message: string) => say(`${JSON.stringify(fields)} ${message}`),
  };
  const virtual = { nowMs: () => clock.nowMs(), sleep: asleep };
  const lives = createLives(() => {
    hearing.died();
    say('the app died');
    compose();
  });
  function compose(): void {
    const port = lives.mortal(watched);
    usePorts({
      settings: {
        storage: { connectionString: '' },
        hub: undefined,
        compute: { kind: 'none' },
        analysisWaitMs: WAIT_MS,
        channels: [],
      },
      clock: virtual,
      log,
      storage: port,
      compute: lives.mortal({ ensureWorker: async () => 'elsewhere' as const, stop: async () => {} }),
      deviceLink: lives.mortal(deviceLink.port),
      notification: createNotificationOutbox({
        channels: [createNotificationQueue(port), lives.mortal(hearing.channel)],
        storage: port,
        clock: virtual,
        log,
      }),
    });
  }
  compose();

  const mailbox = createMailbox(clock, (text) =>
    storage.port.sendMessage(`${QUEUE_PROCESSED}-poison`, Buffer.from(text).toString('utf8')),
  );
  const dataDir = mkdtempSync(join(MEMORY, 'bench-hostile-'));
  const host = createFunctionsHost({
    app: {
      functions: app.functions,
      createInvoker: (deps) => {
        const invoker = createInvoker({ ...deps, app });
        const invoke = lives.invoking(invoker.invoke);
        return {
          ...invoker,
          invoke: async (target, invocation) =>
            sabotage === 'no-keeper' && target.name === 'KeepClips' ? undefined : invoke(target, invocation),
        };
      },
    },
    dataDir,
    hostSettings: readHostSettings(HOST_JSON),
    appSettings: {},
    clock,
    log: (entry) => {
      const { event, ok } = entry;
      if (event === 'orchestration.episode' || ok === false || event === 'engine.trouble')
        say(JSON.stringify(entry));
    },
    createPump: mailbox.pump,
    hostile: {
      hostility: createHostility(seed),
      killApp: (after) => lives.dieAfter(Math.floor(after * CALLS_BEFORE_DEATH)),
    },
  });

  let asking = 0;
  /** As one process asks another: until this is answered, nothing is at rest. */
  async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<boolean> {
    asking += 1;
    try {
      const answer = await fetch(`${base}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        signal,
      });
      await answer.body?.cancel();
      return answer.ok;
    } finally {
      asking -= 1;
    }
  }
  const settle = async () => {
    const deadline = performance.now() + SETTLES_WITHIN_MS;
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await new Promise((resolve) => setImmediate(resolve));
      if (performance.now() > deadline)
        throw new Error(
          `seed ${seed}: still at work after a minute in which no time passed: ${lives.busy().join(', ')}`,
        );
      quiet = asking + lives.busy().length === 0 ? quiet + 1 : 0;
    }
  };

  const verdictOf = (name: string) => storage.names().includes(`${CONTAINER_CLIPS}/${verdictBlobName(name)}`);
  const begin = createBeginnings({ clock, post, keys: host.keys, storage: storage.port, verdictOf, say });

  /** The worker: answers each request as the clip's story says. */
  let answered = 0;
  function work(): void {
    const texts = storage.messages(QUEUE_TO_PROCESSING);
    for (const text of texts.slice(answered)) {
      const request = decodeProcessingRequest(text);
      const clip = clips.find((one) => `${CONTAINER_CLIPS}/${one.name}` === request.blobName);
      say(`asked about ${request.instance_id}`);
      for (const { says, afterMs } of clip?.answers ?? [])
        mailbox.send(messageOf(request, says, answered), clock.nowMs() + afterMs);
    }
    answered = texts.length;
    clock.wakeAt(clock.nowMs() + WORKER_LOOKS_MS, work);
  }

  const openClips = () =>
    storage.names().filter((name) => name.startsWith(`${CONTAINER_INSTANCES}/${OPEN_CLIPS_PREFIX}`));
  const isOver = () => openClips().length === 0 && clips.every(({ name }) => verdictOf(name));
  /** Runs until nothing is left to do; then as long again as anything may still be on its way. */
  async function play(): Promise<void> {
    for (let quietMs = 0; clock.nowMs() < START_MS + WITHIN_MS && quietMs < AFTERWARDS_MS; ) {
      signal.throwIfAborted();
      await time.advance(STEP_MS, settle);
      quietMs = isOver() ? quietMs + STEP_MS : 0;
    }
  }

  const port = await host.start(0);
  const base = `http://127.0.0.1:${port}`;
  try {
    work();
    for (const clip of clips) clock.wakeAt(START_MS + clip.atMs, () => void begin(clip));
    await play();
    const verdicts = new Map<string, Verdict>();
    for (const { name } of clips) {
      const found = storage.document(`${CONTAINER_CLIPS}/${verdictBlobName(name)}`);
      if (found !== null) verdicts.set(name, parseDocument(Verdict, Buffer.from(JSON.stringify(found))));
    }
    const instances = clips.flatMap(({ name }) =>
      Array.from(
        { length: 20 },
        (_, revision) => instanceIdOf(name) + (revision > 0 ? `-r${revision + 1}` : ''),
      )
        .map((id) => host.history.instance(id))
        .filter((row) => row !== undefined),
    );
    return {
      clips,
      verdicts,
      revisions,
      open: openClips(),
      hearing,
      deaths: lives.deaths(),
      instances: instances.length,
      failed: instances.filter(({ status }) => status === 'Failed').length,
      minutes: Math.round((clock.nowMs() - START_MS) / MINUTE_MS),
      journal,
    };
  } finally {
    await host.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
