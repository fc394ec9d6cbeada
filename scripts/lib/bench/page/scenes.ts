import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from '@dachawatch/contracts';
import { createStorageJudge } from '../../../../agent/health/health.ts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { type Clip, thumbnailOf } from '../../../../agent/ledger/ledger.ts';
import { createLedgerView, someClip } from '../../../../test/fakes/ledger-view.ts';
import {
  createWorld,
  someCamera,
  someMachine,
  somePower,
  withMachine,
  type World,
} from '../../../../test/unit/agent/dashboard/dashboard-world.ts';
import type { Figure, MadePicture } from './made-pictures.ts';

const HOUR_MS = 3_600_000;
const VERDICTS: Readonly<Record<Figure, Verdict['verdict']>> = {
  person: 'person',
  car: 'vehicle',
  cat: 'animal',
  nothing: 'nothing',
};
const CAMERAS = [
  { cameraId: 'gate', title: 'Gate' },
  { cameraId: 'garden', title: 'Garden' },
];

/** A page that is served, and what to do before it is looked at. */
export interface Scene {
  readonly world: World;
  /** The appliance goes away after the page has seen it. */
  readonly isLost: boolean;
}

interface Made {
  readonly world: World;
  readonly nowMs: number;
  readonly conditions: ReturnType<typeof createConditions>;
  readonly keep: (figure: Figure, hoursAgo: number, changes?: Partial<Clip>) => void;
}

/** By name: what is so in that house, beside an ordinary night. */
const SCENES: Readonly<Record<string, (made: Made) => void>> = {
  'calm-day': () => undefined,
  'person-an-hour-ago': ({ keep }) => {
    keep('person', sinceHour(22.2), { cameraId: 'garden' });
    keep('person', sinceHour(29.3));
    keep('person', 1);
  },
  'camera-down': ({ world, nowMs }) => {
    world.cameras = world.cameras.map((camera) =>
      camera.cameraId === 'garden'
        ? someCamera({
            ...camera,
            state: 'unreachable',
            sinceMs: nowMs - 2 * HOUR_MS,
            detail:
              'camera garden, main stream: no connection; the camera is off, not in this network, or has another address',
            lastFragmentAgeMs: 2 * HOUR_MS,
          })
        : camera,
    );
  },
  'on-battery': ({ world, nowMs }) => {
    world.power = somePower({
      state: 'on-battery',
      sinceMs: nowMs - 900_000,
      percent: 71,
      volts: 11.5,
      minutesLeft: 95,
    });
    world.link = {
      state: 'offline',
      sinceMs: nowMs - 850_000,
      detail: 'hub.example:8883 cannot be reached: connect ENETUNREACH 20.1.2.3:8883',
    };
  },
  'disk-full': ({ world, conditions }) => {
    world.machine.disk = { diskFreeBytes: 0, diskTotalBytes: 58_000_000_000 };
    conditions.raise(
      'recording-refused',
      '3 movements were not recorded: no room for another clip (disk nearly full): 31000000 bytes are missing and only 5400000 may be removed',
      'gate',
    );
  },
  'parked-clips': ({ keep, conditions }) => {
    const reason =
      'storage holds another content under gate/2026/11/20 (6100000 bytes instead of 5400000); it is not overwritten';
    keep('nothing', 3, { state: 'parked', verdict: null, uploadedMs: null, judgedMs: null, reason });
    keep('car', 4, { state: 'parked', verdict: null, uploadedMs: null, judgedMs: null, reason });
    conditions.raise(
      'clips-parked',
      `the uploads of 2 clips were refused; kept here and tried again slowly. The newest says: ${reason}`,
    );
  },
  'contact-lost': ({ keep }) => keep('person', 5),
  'first-start': ({ world, nowMs }) => {
    world.clips.length = 0;
    world.cameras = world.cameras.map((camera) => someCamera({ ...camera, sinceMs: nowMs - 20_000 }));
    world.link = { ...world.link, sinceMs: nowMs - 15_000 };
    world.power = somePower({ sinceMs: nowMs - 40_000 });
    world.machine = someMachine({ uptimeSeconds: 95, agentUptimeSeconds: 40 });
  },
};
export const SCENE_NAMES = Object.keys(SCENES);

/** Serves a scene on loopback.
 *  @param dir where its clips lie
 *  @param extra clips beside it, of long ago */
export async function playScene(
  name: string,
  {
    dir,
    pictures,
    extra = 0,
  }: { dir: string; pictures: Readonly<Record<Figure, MadePicture>>; extra?: number },
): Promise<Scene> {
  mkdirSync(dir, { recursive: true });
  // Half past eight in the morning, when the owner looks at what the night was.
  const nowMs = morningOf(Date.now());
  const aheadMs = nowMs - Date.now();
  const clock = { nowMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() };
  const conditions = createConditions({ clock, log: createLog('silent') });
  const clips: Clip[] = [];
  const ledger = createLedgerView(clips);
  const judgeStorage = createStorageJudge();
  const figures = new Map<string, Figure>();
  const world: World = createWorld({
    ...withMachine(() => world),
    ledger,
    conditions: () => conditions.list(),
    storage: () =>
      judgeStorage({
        summary: ledger.summary(),
        clipBytesMax: 40_000_000_000,
        diskFreeBytes: world.machine.disk.diskFreeBytes,
      }),
    clock,
    timeZone: 'Europe/Kyiv',
  });
  Object.assign(world, {
    clips,
    machine: someMachine(),
    power: somePower({ sinceMs: nowMs - 40 * HOUR_MS }),
  });
  world.link = { ...world.link, sinceMs: nowMs - 9 * HOUR_MS };
  world.cameras = CAMERAS.map((camera) => someCamera({ ...camera, sinceMs: nowMs - 30 * HOUR_MS }));
  world.bestFrame = async (clipId) => pictures[figures.get(clipId) ?? 'nothing'].large;
  const keep: Made['keep'] = (figure, hoursAgo, changes = {}) => {
    const n = 32_000 - Math.round(hoursAgo * 100);
    const clip = madeClip(n, figure, nowMs - hoursAgo * HOUR_MS, dir, changes);
    figures.set(clip.clipId, figure);
    writeFileSync(clip.file, 'made');
    copyFileSync(pictures[figure].small, thumbnailOf(clip.file));
    clips.push(clip);
  };
  for (let n = 0; n < extra; n += 1)
    clips.push(madeClip(n, 'nothing', nowMs - (400 + extra - n) * 60_000 * 5, dir, {}));
  keep('car', sinceHour(19.5));
  keep('cat', sinceHour(26.4), { cameraId: 'garden' });
  keep('nothing', sinceHour(27.1));
  keep('nothing', sinceHour(30.8), { cameraId: 'garden' });
  SCENES[name]?.({ world, nowMs, conditions, keep });
  clips.sort((a, b) => a.triggeredMs - b.triggeredMs);
  await world.dashboard.start();
  return { world, isLost: name === 'contact-lost' };
}

/** Half past eight of that day in Kyiv. */
function morningOf(ms: number): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'Europe/Kyiv',
    hour: '2-digit',
    minute: '2-digit',
  });
  const [hours = 0, minutes = 0] = format.format(ms).split(':').map(Number);
  return ms + (8 - hours) * HOUR_MS + (30 - minutes) * 60_000;
}

/** Hours from an hour of last night until that morning; 25 is one at night. */
const sinceHour = (hour: number) => 32.5 - hour;

function madeClip(n: number, figure: Figure, triggeredMs: number, dir: string, changes: Partial<Clip>): Clip {
  const base = someClip(n, { triggeredMs });
  const labels = { person: ['person'], car: ['car'], cat: ['cat'], nothing: [] }[figure];
  const seen = labels.length > 0;
  return {
    ...base,
    state: 'judged',
    file: join(dir, `${base.clipId}.mp4`),
    partFile: join(dir, `${base.clipId}.mp4.part`),
    uploadedMs: triggeredMs + 60_000,
    judgedMs: triggeredMs + 95_000,
    verdict: {
      clip_id: base.clipId,
      revision: 1,
      instance_id: `clip-${base.clipId}`,
      verdict: VERDICTS[figure],
      labels,
      confidence: seen ? 0.87 : 0,
      ...(seen ? { best_frame: { blobName: 'made', at_ms: 2_000, boxes: [] } } : {}),
      decided_utc: new Date(triggeredMs + 90_000).toISOString(),
      decision: figure === 'person' ? 'notified' : seen ? 'recorded' : 'marked-safe',
      reason: seen
        ? `${labels[0]} seen in 7 of 12 frames, from 1.0 s to 6.5 s, confidence 0.87.`
        : 'Nothing that matters was seen.',
    },
    ...changes,
  };
}
