import { isDeepStrictEqual } from 'node:util';
import type { Refusal } from '@dachawatch/contracts';
import type { Log } from '../kernel/log.ts';
import { createDesiredFile } from './desired-file.ts';
import {
  type Accepted,
  compose,
  NOTHING,
  type ReadContext,
  readDesired,
  type Settings,
} from './desired-reading.ts';

export type { Settings };

/** Desired properties as settings.
 *  Invariants
 *  1. Each leaf stands for itself: one that is refused changes nothing else, and the value in force before stays,
 *     also across a restart. One that is absent is as in `appliance.json`.
 *  2. What was accepted is on disk before `apply` hears of it; on a disk that cannot be written it is applied all
 *     the same and written with the next document, since the hub tells it again.
 *  3. Only what is valid now is in force: what lies on disk is read like a message of the hub, so that neither
 *     another version of this program nor a lost credential can keep the agent from starting.
 *  4. No document, whatever is in it, makes this throw, and no value of it is logged or reported. */
export interface DesiredSettings {
  /** What is in force: appliance.json, and over it what was accepted of the twin. */
  settings(): Settings;
  /** Version of the desired properties last seen (0: none yet), and what was refused of it. */
  desired(): { readonly version: number; readonly refused: readonly Refusal[] };
  /** Reads a whole desired document property by property; keeps what was accepted; then calls `apply` if the
   *  settings changed. A version smaller than the last is what the hub says now: it is taken. */
  take(document: { readonly version: number; readonly properties: Readonly<Record<string, unknown>> }): void;
}

export interface DesiredSettingsDeps {
  /** `appliance.json`. */
  readonly base: Settings;
  /** Folder of the file that keeps what was accepted. */
  readonly dir: string;
  /** Null when the appliance holds this credential; otherwise one sentence that says what is wrong. */
  readonly hasCredential: (name: string) => string | null;
  /** Other settings are in force from now on. */
  readonly apply: (settings: Settings) => void;
  readonly log: Log;
}

/** Refusals that a line of the log names; the reported properties have them all. */
const LOGGED = 5;

export function createDesiredSettings(deps: DesiredSettingsDeps): DesiredSettings {
  const { base, hasCredential, apply, log } = deps;
  const file = createDesiredFile(deps.dir, log);
  const context = (before: Accepted): ReadContext => ({ base, before, hasCredential });

  const kept = file.load();
  const again = readDesired(kept.properties, context(NOTHING));
  if (again.refused.length > 0)
    log.warn(
      { event: 'desired.outdated', refused: again.refused.slice(0, LOGGED) },
      'settings kept of the twin do not fit this appliance any more; appliance.json stands for them',
    );
  let { accepted } = again;
  let version = kept.version;
  let refused: readonly Refusal[] = kept.refused;
  let settings = compose(base, accepted);

  return {
    settings: () => settings,
    desired: () => ({ version, refused }),
    take: (document) => {
      const read = readDesired(document.properties, context(accepted));
      const next = compose(base, read.accepted);
      const changed = !isDeepStrictEqual(next, settings);
      const news = changed || version !== document.version || !isDeepStrictEqual(read.refused, refused);
      ({ accepted, refused } = read);
      version = document.version;
      settings = next;
      file.save({ version, accepted, refused });
      if (news)
        log[refused.length > 0 ? 'warn' : 'info'](
          {
            event: 'desired.taken',
            version,
            changed,
            refused: refused.slice(0, LOGGED),
            refusedInAll: refused.length,
          },
          refused.length > 0 ? 'some desired properties were refused' : 'the desired properties are in force',
        );
      if (changed) apply(settings);
    },
  };
}
