import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { parse, Refusal, type Json } from '@dachawatch/contracts';
import { classify } from '../kernel/classify.ts';
import { replaceDurably } from '../kernel/files/durable-file.ts';
import { Failure } from '../kernel/failure.ts';
import type { Log } from '../kernel/log.ts';
import { readSmallText } from '../kernel/files/regular-file.ts';
import type { Accepted } from './desired-reading.ts';

const SCHEMA = 'dachawatch/desired-settings/1';
export const DESIRED_FILE = 'desired-settings.json';

/** Desired properties of a twin have 32 KB at most; this form of them, and the refusals, are a few times that. */
const FILE_MAX_BYTES = 1024 * 1024;

/** What the file holds: the accepted values in the form of a desired document, not yet trusted. */
export interface Kept {
  readonly version: number;
  readonly properties: Json;
  readonly refused: readonly Refusal[];
}

export interface DesiredFile {
  /** Nothing kept when there is no file. One that cannot be used is logged and renamed to `….bad`. */
  load(): Kept;
  /** Durable when it returns. Failures are logged; the next call tries again. */
  save(state: {
    readonly version: number;
    readonly accepted: Accepted;
    readonly refused: readonly Refusal[];
  }): void;
}

const NOTHING_KEPT: Kept = { version: 0, properties: {}, refused: [] };

export function createDesiredFile(dir: string, log: Log): DesiredFile {
  const file = join(dir, DESIRED_FILE);
  let onDisk: string | undefined;

  function setAside(error: unknown): void {
    const { code, message } = classify(error, 'desired.load');
    log.error(
      { event: 'desired.unreadable', code, detail: message },
      `settings kept of the twin cannot be used; appliance.json holds until the hub is reached; see ${DESIRED_FILE}.bad`,
    );
    try {
      renameSync(file, `${file}.bad`);
    } catch (failed) {
      log.warn(
        { event: 'desired.not-set-aside', code: classify(failed, 'desired.set-aside').code },
        'the unusable file stays where it is until the next settings replace it',
      );
    }
  }

  return {
    load: () => {
      let text: string;
      try {
        text = readSmallText(file, FILE_MAX_BYTES);
        const kept = readKept(text);
        onDisk = text;
        return kept;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') setAside(error);
        return NOTHING_KEPT;
      }
    },
    save: ({ version, accepted, refused }) => {
      const properties = {
        recording: Object.fromEntries(accepted.recording),
        cameras: Object.fromEntries(
          [...accepted.cameras].map(([id, leaves]) => [id, Object.fromEntries(leaves)]),
        ),
      };
      const text = `${JSON.stringify({ schema: SCHEMA, version, properties, refused }, null, 2)}\n`;
      if (text === onDisk) return;
      try {
        replaceDurably(file, text);
        onDisk = text;
      } catch (error) {
        const { code, message } = classify(error, 'desired.save');
        log.error(
          { event: 'desired.not-saved', code, detail: message },
          'settings of the twin are in force and will not survive a restart without the hub',
        );
      }
    },
  };
}

/** @throws Failure `corrupt`, SyntaxError or ContractError */
function readKept(text: string): Kept {
  const state = JSON.parse(text) as Partial<Record<string, unknown>> | null;
  const { schema, version, properties, refused } = state ?? {};
  const whole =
    schema === SCHEMA &&
    Number.isSafeInteger(version) &&
    typeof properties === 'object' &&
    properties !== null &&
    Array.isArray(refused);
  if (!whole) throw new Failure('corrupt', 'desired.load.shape', `${DESIRED_FILE} is no ${SCHEMA}`);
  return {
    version: version as number,
    properties: properties as Json,
    refused: refused.map((item) => parse(Refusal, item)),
  };
}
