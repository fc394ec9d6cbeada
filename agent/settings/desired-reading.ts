import {
  ApplianceConfig,
  CameraConfig,
  parseWithDefaults,
  RecordingConfig,
  isJson,
  type Json,
} from '@dachawatch/contracts';
import type { Refusal } from '@dachawatch/contracts';
import { createRefusals, pointer, type Refusals } from './desired-refusals.ts';
import { holdsLogin, loginInTwin, readValue, type Leaf } from './desired-value.ts';

/** What the twin may change about the appliance. */
export interface Settings {
  readonly recording: RecordingConfig;
  readonly cameras: readonly CameraConfig[];
}

/** Values by the name of their property. Maps: names come from outside, and `constructor` is one. */
export type Leaves = ReadonlyMap<string, unknown>;

/** What was accepted of the twin, without what `appliance.json` says. */
export interface Accepted {
  readonly recording: Leaves;
  readonly cameras: ReadonlyMap<string, Leaves>;
}

export const NOTHING: Accepted = { recording: new Map(), cameras: new Map() };

export interface ReadContext {
  readonly base: Settings;
  /** What was accepted before: a value that is refused now leaves it in force. */
  readonly before: Accepted;
  readonly hasCredential: (name: string) => string | null;
}

const { id: CameraId, ...cameraLeaves } = CameraConfig.properties;
const CAMERA_LEAVES = new Map<string, Leaf>(Object.entries(cameraLeaves));
const RECORDING_LEAVES = new Map<string, Leaf>(Object.entries(RecordingConfig.properties));
const MAX_CAMERAS = (ApplianceConfig.properties.cameras as { maxItems?: number }).maxItems ?? 16;
/** Sections of the contract that a later version will obey. */
const NOT_YET = new Set(['upload', 'retention', 'power', 'firmware']);
const NO_LEAVES: Leaves = new Map();

const isAbsent = (value: unknown) => value === undefined || value === null;
/** A section that belongs to a component of somebody else (IoT Plug and Play marks it so), or to the hub. */
const isForeign = (key: string, value: unknown) =>
  key.startsWith('$') || (isJson(value) && value['__t'] === 'c');

/** Reads a whole desired document. Pure but for `hasCredential`; throws for no document. */
export function readDesired(
  properties: Json,
  context: ReadContext,
): { readonly accepted: Accepted; readonly refused: readonly Refusal[] } {
  const refusals = createRefusals();
  let accepted = NOTHING;
  for (const [key, value] of Object.entries(properties)) {
    if (isAbsent(value) || isForeign(key, value)) continue;
    if (key === 'recording') accepted = { ...accepted, recording: readRecording(value, context, refusals) };
    else if (key === 'cameras') accepted = { ...accepted, cameras: readCameras(value, context, refusals) };
    else if (holdsLogin(key, value)) refusals.add([key], loginInTwin(pointer([key])));
    else if (NOT_YET.has(key)) refusals.add([key], 'this version does not apply it');
    else refusals.add([key], 'unknown section: this version knows recording and cameras');
  }
  return { accepted, refused: refusals.list() };
}

function readRecording(desired: unknown, { before, hasCredential }: ReadContext, refusals: Refusals): Leaves {
  return readLeaves(desired, ['recording'], RECORDING_LEAVES, before.recording, hasCredential, refusals);
}

function readCameras(desired: unknown, context: ReadContext, refusals: Refusals): Accepted['cameras'] {
  const { base, before, hasCredential } = context;
  if (!isJson(desired)) {
    refusals.add(['cameras'], 'must be an object with the ids of cameras');
    return before.cameras;
  }
  const known = new Set(base.cameras.map(({ id }) => id));
  const ofKnown = new Map<string, Leaves>();
  const ofNew = new Map<string, Leaves>();
  for (const [id, value] of Object.entries(desired)) {
    if (isAbsent(value)) continue;
    const place = ['cameras', id];
    const named = readValue(CameraId, id);
    if ('reason' in named) {
      refusals.add(place, `the id of a camera ${named.reason}`);
      continue;
    }
    const old = before.cameras.get(id) ?? NO_LEAVES;
    const leaves = readLeaves(value, place, CAMERA_LEAVES, old, hasCredential, refusals);
    if (known.has(id)) ofKnown.set(id, leaves);
    else if (leaves.has('main') && leaves.has('sub')) ofNew.set(id, leaves);
    else {
      if (isJson(value))
        refusals.add(place, 'appliance.json does not know this camera, so it needs a valid main and sub');
      if (old.size > 0) ofNew.set(id, old);
    }
  }
  // Those in force stay; then by id, since the order of an object's keys is nobody's promise.
  const order = [...ofNew].toSorted(
    ([a], [b]) => Number(before.cameras.has(b)) - Number(before.cameras.has(a)) || (a < b ? -1 : 1),
  );
  const room = Math.max(0, MAX_CAMERAS - known.size);
  for (const [id] of order.slice(room))
    refusals.add(['cameras', id], `the appliance has at most ${MAX_CAMERAS} cameras`);
  return new Map([...ofKnown, ...order.slice(0, room)]);
}

/** Each property by itself. What is no object changes nothing. */
function readLeaves(
  desired: unknown,
  place: readonly string[],
  known: ReadonlyMap<string, Leaf>,
  before: Leaves,
  hasCredential: ReadContext['hasCredential'],
  refusals: Refusals,
): Leaves {
  if (!isJson(desired)) {
    refusals.add(place, 'must be an object');
    return before;
  }
  const leaves = new Map<string, unknown>();
  for (const [key, value] of Object.entries(desired)) {
    if (isAbsent(value)) continue;
    const at = [...place, key];
    const schema = known.get(key);
    if (holdsLogin(key, value)) {
      refusals.add(at, loginInTwin(pointer(at)));
      if (before.has(key)) leaves.set(key, before.get(key));
      continue;
    }
    if (!schema) {
      refusals.add(at, 'unknown property');
      continue;
    }
    const read = readValue(schema, value);
    const objection = 'value' in read ? objectionTo(key, read.value, hasCredential) : null;
    if ('value' in read && objection === null) {
      leaves.set(key, read.value);
      continue;
    }
    if ('reason' in read) refusals.add([...at, ...read.at], read.reason);
    else refusals.add(at, objection ?? '');
    if (before.has(key)) leaves.set(key, before.get(key));
  }
  return leaves;
}

/** What the schema cannot say. */
function objectionTo(
  key: string,
  value: unknown,
  hasCredential: ReadContext['hasCredential'],
): string | null {
  return key === 'credential' || key === 'subCredential' ? hasCredential(String(value)) : null;
}

/** `appliance.json`, and over it what was accepted. Cameras of the twin follow, by id. */
export function compose(base: Settings, accepted: Accepted): Settings {
  const known = new Set(base.cameras.map(({ id }) => id));
  const added = [...accepted.cameras]
    .filter(([id]) => !known.has(id))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    recording: { ...base.recording, ...Object.fromEntries(accepted.recording) },
    cameras: [
      ...base.cameras.map(
        (camera): CameraConfig => ({
          ...camera,
          ...Object.fromEntries(accepted.cameras.get(camera.id) ?? []),
        }),
      ),
      ...added.map(([id, leaves]) => parseWithDefaults(CameraConfig, { id, ...Object.fromEntries(leaves) })),
    ],
  };
}
