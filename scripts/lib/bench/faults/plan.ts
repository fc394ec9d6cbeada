/** What goes wrong in a round, drawn from seed and round alone. */
import { type Damage, DAMAGES } from './disk/damage.ts';
import { type Call, describeDisk, type DiskError, type DiskFault, type Place } from './disk/disk-faults.ts';
import { createRandom, type Random } from './random.ts';

export type Process = 'house' | 'recorder' | 'functions-host' | 'worker' | 'storage';
export const ROUTES = [
  'hub',
  'house-blob',
  'host-blob',
  'host-queue',
  'worker-blob',
  'worker-queue',
] as const;
export type Route = (typeof ROUTES)[number];

export const NET_ACTIONS = [
  ...['403', '408', '429', '500', '503'],
  ...['reset', 'black hole', 'answer lost', 'answer cut'],
  // Whoever asks is killed: before its request gets there, or when the service has done it.
  ...['kill before', 'kill after'],
] as const;
export type NetAction = (typeof NET_ACTIONS)[number];

/** The requests of a route from `after` on, `times` of them, go wrong. */
export interface NetFault {
  readonly route: Route;
  readonly after: number;
  readonly times: number;
  readonly action: NetAction;
}

/** See `Faults` of the local hub: nothing is answered on MQTT; what the house publishes is not acknowledged; what it
 *  acknowledges is not heard, and comes again; tickets get no answer. */
export const HUB_FAULTS = ['blackHole', 'dropPuback', 'ignorePuback', 'httpSilent'] as const;
export type HubFault = (typeof HUB_FAULTS)[number];

export interface Kill {
  readonly process: Process;
  /** After a clip has begun. */
  readonly afterMs: number;
  /** What was not synced goes with it, as when power fails: 0 all of it, 1 none. */
  readonly powerCut?: number;
}

export interface Episode {
  readonly cameraId: string;
  /** How long it moves. */
  readonly seconds: number;
}

export interface Plan {
  readonly seed: number;
  readonly round: number;
  readonly episodes: readonly Episode[];
  readonly disk: readonly { readonly process: Exclude<Process, 'storage'>; readonly fault: DiskFault }[];
  readonly net: readonly NetFault[];
  readonly kills: readonly Kill[];
  /** The hub's MQTT connection is cut after so long. */
  readonly linkCutMs?: number;
  /** What is spoiled on the house's disk while it is down, at the end of the round. */
  readonly damage?: Damage;
  /** What the hub does not do for a while. */
  readonly hub?: HubFault;
  /** Every event of Event Grid comes twice. */
  readonly toldTwice: boolean;
  /** What has died comes back while the faults go on. */
  readonly backUnderFire: boolean;
  /** How long the faults go on when nothing moves any more. */
  readonly lingerMs: number;
}

const DAMAGE_SHARE = 0.1;
export const CAMERAS = ['gate', 'yard'] as const;

/** A round's plan. Different rounds of a seed are independent: any one can be played alone. */
export function planOf(seed: number, round: number): Plan {
  const random = createRandom((Math.imul(seed, 0x9e3779b1) ^ Math.imul(round + 1, 0x85ebca6b)) >>> 0);
  const episodes = Array.from({ length: random.between(1, 2) }, () => ({
    cameraId: random.pick(CAMERAS),
    seconds: random.between(0, 8),
  }));
  const disk = Array.from({ length: random.pick([0, 0, 1, 1, 1, 2]) }, () => drawDisk(random));
  const net = Array.from({ length: random.pick([0, 0, 1, 1, 2, 3]) }, () => drawNet(random));
  const kills = Array.from({ length: random.pick([0, 1, 1, 2]) }, () => drawKill(random));
  return {
    ...{ seed, round, episodes, disk, net },
    // Nothing at all would be a wasted round.
    kills: disk.length + net.length + kills.length === 0 ? [drawKill(random)] : kills,
    ...(random.chance(0.1) ? { linkCutMs: random.between(0, 1_500) } : {}),
    ...(random.chance(DAMAGE_SHARE)
      ? { damage: { kind: random.pick(DAMAGES), seed: random.between(0, 1 << 30) } }
      : {}),
    ...(random.chance(0.1) ? { hub: random.pick(HUB_FAULTS) } : {}),
    toldTwice: random.chance(0.2),
    backUnderFire: random.chance(0.4),
    lingerMs: random.between(100, 1_200),
  };
}

type Wrong = readonly [calls: readonly Call[], errors: readonly DiskError[]];
const WRONGS: readonly Wrong[] = [
  [['write'], ['ENOSPC', 'ENOSPC', 'EIO']],
  [['sync'], ['EIO', 'ENOSPC']],
  [['open to write'], ['EROFS', 'ENOSPC', 'EIO']],
  [['open'], ['EIO']],
  [['read'], ['EIO']],
  [['rename'], ['EIO', 'EROFS', 'ENOSPC']],
  [['unlink'], ['EIO', 'EROFS']],
  [['truncate'], ['EIO', 'EROFS']],
  [['mkdir'], ['EROFS', 'ENOSPC']],
  [['stat', 'list'], ['EIO']],
  // A disk that is full, read-only or broken for everything.
  [['write', 'open to write', 'mkdir'], ['ENOSPC']],
  [['open to write', 'rename', 'unlink', 'mkdir', 'truncate', 'write'], ['EROFS']],
  [['read', 'write', 'sync'], ['EIO']],
];

/** Calls that a round makes often, and those it makes a few times. */
const OFTEN: readonly Call[] = ['write', 'sync', 'read', 'open', 'open to write', 'stat'];

function drawDisk(random: Random): Plan['disk'][number] {
  const process = random.pick([
    ...(['house', 'house', 'house', 'house', 'recorder', 'recorder'] as const),
    ...(['functions-host', 'worker'] as const),
  ]);
  const places = random.pick(PLACES_OF[process]);
  const { calls, times, ...what } = drawWrong(random);
  const most = calls.some((call) => OFTEN.includes(call)) ? (process === 'house' ? 40 : 16) : 3;
  const after = Math.floor(random.next() ** 2 * most);
  return { process, fault: { ...what, calls, times, places, after, param: random.between(0, 1 << 30) } };
}

const PLACES_OF: Readonly<Record<Plan['disk'][number]['process'], readonly (readonly Place[])[]>> = {
  house: [
    ['database'],
    ['database'],
    ['part file', 'clip file', 'folder'],
    ['part file', 'clip file', 'folder', 'database', 'other file'],
  ],
  recorder: [['part file', 'folder']],
  'functions-host': [['database', 'other file', 'folder']],
  worker: [['database', 'other file', 'folder']],
};

function drawWrong(random: Random): Pick<DiskFault, 'calls' | 'times' | 'action' | 'error'> {
  const kind = random.next();
  if (kind < 0.5) {
    const [calls, errors] = random.pick(WRONGS);
    const times = random.pick([1, 1, 1, 2, 5, 20, 1_000]);
    return { calls, times, action: 'fail', error: random.pick(errors) };
  }
  if (kind < 0.62) {
    const error = random.pick(['ENOSPC', 'EIO'] as const);
    return { calls: ['write'], times: random.pick([1, 1, 3]), action: 'short write, then error', error };
  }
  if (kind < 0.7) return { calls: ['write'], times: 1, action: 'short write, then kill' };
  if (kind < 0.78) return { calls: ['read'], times: random.pick([1, 1, 3]), action: 'flip a bit' };
  if (kind < 0.84) return { calls: ['sync'], times: 1, action: 'sync fails and loses', error: 'EIO' };
  return {
    calls: [random.pick(['write', 'write', 'sync', 'rename', 'unlink', 'open to write', 'truncate'])],
    times: 1,
    action: random.pick(['kill before', 'kill after']),
  };
}

function drawNet(random: Random): NetFault {
  const action = random.pick(NET_ACTIONS);
  return {
    route: random.pick(['hub', 'house-blob', 'house-blob', 'house-blob', ...ROUTES.slice(2)]),
    action,
    after: Math.floor(random.next() ** 1.5 * 8),
    // A black hole costs the time until somebody gives up.
    times: action === 'black hole' ? random.pick([1, 2]) : random.pick([1, 1, 2, 4, 10]),
  };
}

function drawKill(random: Random): Kill {
  const process = random.pick<Process>([
    ...(['house', 'house', 'house', 'house', 'house', 'house', 'recorder', 'recorder', 'recorder'] as const),
    ...(['functions-host', 'functions-host', 'worker', 'worker', 'storage'] as const),
  ]);
  const afterMs = 20 + Math.floor(random.next() ** 1.3 * 1_200);
  return process === 'house' && random.chance(0.5)
    ? { process, afterMs, powerCut: random.next() }
    : { process, afterMs };
}

/** In words, for somebody who looks for the cause. */
export const describePlan = ({
  episodes,
  disk,
  net,
  kills,
  damage,
  linkCutMs,
  hub,
  toldTwice,
  backUnderFire,
}: Plan): string =>
  [
    ...episodes.map(({ cameraId, seconds }) => `${seconds} s of motion at ${cameraId}`),
    ...disk.map(({ process, fault }) => `${process}: ${describeDisk(fault)}`),
    ...net.map(
      ({ route, after, times, action }) => `${route}: ${action} at request ${after + 1}, ${times} times`,
    ),
    ...kills.map(
      ({ process, afterMs, powerCut }) =>
        `${process} killed after ${afterMs} ms${powerCut === undefined ? '' : ' with the power'}`,
    ),
    ...(damage === undefined ? [] : [`${damage.kind}: spoiled at the end`]),
    ...(hub === undefined ? [] : [`the hub has ${hub}`]),
    ...(linkCutMs === undefined ? [] : [`the link cut after ${linkCutMs} ms`]),
    ...(toldTwice ? ['events told twice'] : []),
    ...(backUnderFire ? ['back while it goes on'] : []),
  ].join('; ');
