import { replaceDurably } from '../../kernel/files/durable-file.ts';
import type { Log } from '../../kernel/log.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';

/** Which logins were refused: what recognises them, and no login. */
export interface RefusedLogins {
  /** Of the keys. */
  readonly salt: string;
  /** Oldest first. */
  readonly refused: readonly {
    readonly key: string;
    /** Refusals in a row; at least 1. */
    readonly count: number;
    readonly untilUtcMs: number;
  }[];
}

/** Of 64 refusals, with room. */
const FILE_MAX_BYTES = 64 * 1024;
const SCHEMA = 'dachawatch/camera-logins/1';

/** What may stand in the file. */
type Json = Readonly<
  Partial<Record<'schema' | 'salt' | 'refused' | 'key' | 'count' | 'untilUtcMs', unknown>>
>;

/** @returns undefined when nothing is known; entries that make no sense are left out */
export function readRefusedLogins(file: string, log: Log): RefusedLogins | undefined {
  const kept = read(file, log);
  if (kept?.schema !== SCHEMA || typeof kept.salt !== 'string' || !Array.isArray(kept.refused))
    return undefined;
  const refused = (kept.refused as (Json | null)[]).flatMap((one) => {
    const { key, count, untilUtcMs } = one ?? {};
    if (typeof key !== 'string' || typeof count !== 'number' || typeof untilUtcMs !== 'number') return [];
    return Number.isSafeInteger(count) && count >= 1 ? [{ key, count, untilUtcMs }] : [];
  });
  return { salt: kept.salt, refused };
}

function read(file: string, log: Log): Json | undefined {
  try {
    return (JSON.parse(readSmallText(file, FILE_MAX_BYTES)) as Json | null) ?? undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn({ event: 'logins.unread', error }, 'which logins were refused before the start is not known');
    return undefined;
  }
}

/** A file that cannot be written is logged: what is refused holds in memory, and only a restart would try once too
 *  often. */
export function keepRefusedLogins(file: string, { salt, refused }: RefusedLogins, log: Log): void {
  try {
    replaceDurably(file, `${JSON.stringify({ schema: SCHEMA, salt, refused })}\n`);
  } catch (error) {
    log.warn({ event: 'logins.unkept', error }, 'which logins were refused cannot be written down');
  }
}
