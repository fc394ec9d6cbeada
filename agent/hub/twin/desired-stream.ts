import { isJson, type Json } from '@dachawatch/contracts';
import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import { mergePatch } from './merge-patch.ts';

/** The twin's desired properties, whole, without `$version` and `$metadata`. */
export interface DesiredDocument {
  readonly version: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A hub whose reads lag behind its pushes is asked this often in a row; then the next probe sees to it. */
const READS_IN_A_ROW = 3;

export interface TwinDocument {
  readonly desired: DesiredDocument;
  /** Reported properties, without `$version`. */
  readonly reported: Json;
}

/** Desired properties of one connection, from reads of the twin and from pushes.
 *  Invariants
 *  1. Each version is delivered at most once, whole, and never after a newer one.
 *  2. A push is merged only into the version right before it. After any other gap the twin is read again. */
export interface DesiredStream {
  read(desired: DesiredDocument): void;
  /** @param patch as it came: may be anything */
  pushed(patch: unknown): void;
  /** Reads the twin: pushes may have been lost. */
  catchUp(): void;
}

export function createDesiredStream({
  readTwin,
  deliver,
  log,
}: {
  /** Rejects when the connection is over. */
  readTwin: () => Promise<TwinDocument>;
  deliver: (desired: DesiredDocument) => void;
  log: Log;
}): DesiredStream {
  let known: DesiredDocument | undefined;
  let newestPushed = 0;
  let isReading = false;

  function take(desired: DesiredDocument): void {
    known = desired;
    try {
      deliver(desired);
    } catch (error) {
      log.error(
        { event: 'twin.desired-failed', version: desired.version, err: error },
        'the desired properties were not taken',
      );
    }
  }

  function read(desired: DesiredDocument): void {
    if (!known || desired.version > known.version) take(desired);
  }

  async function readUntilCaughtUp(): Promise<void> {
    if (isReading) return;
    isReading = true;
    try {
      for (let n = 0; n < READS_IN_A_ROW; n += 1) {
        read((await readTwin()).desired);
        if (known && known.version >= newestPushed) return;
      }
      log.warn({ event: 'twin.behind', newestPushed }, 'the hub shows an older twin than it pushed');
    } catch {
      // The connection is over; the next one begins with a read.
    } finally {
      isReading = false;
    }
  }
  const catchUp = () => void readUntilCaughtUp();

  return {
    read,
    catchUp,
    pushed: (patch) => {
      const version = isJson(patch) ? versionOf(patch) : undefined;
      if (!isJson(patch) || version === undefined) {
        catchUp();
        return;
      }
      newestPushed = Math.max(newestPushed, version);
      const merged = known?.version === version - 1 ? merge(known.properties, patch) : undefined;
      if (merged) take({ version, properties: merged });
      else if (!known || version > known.version) catchUp();
    },
  };
}

/** Undefined when it is nested too deeply for this program. */
function merge(properties: Json, patch: Json): Json | undefined {
  try {
    return mergePatch(properties, withoutHubKeys(patch));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** @throws Failure transient when it is no twin */
export function readTwinDocument(answer: unknown): TwinDocument {
  const { desired, reported } = (isJson(answer) ? answer : {}) as { desired?: unknown; reported?: unknown };
  const version = isJson(desired) ? versionOf(desired) : undefined;
  if (!isJson(desired) || version === undefined || !isJson(reported))
    throw new Failure('transient', 'hub.network', "the hub's answer is no twin");
  return {
    desired: { version, properties: withoutHubKeys(desired) },
    reported: withoutHubKeys(reported),
  };
}

const versionOf = ({ $version: version }: { $version?: unknown }): number | undefined =>
  typeof version === 'number' && Number.isSafeInteger(version) ? version : undefined;

/** Keys that begin with `$` belong to the hub. */
const withoutHubKeys = (section: Json): Json =>
  Object.fromEntries(Object.entries(section).filter(([key]) => !key.startsWith('$')));
