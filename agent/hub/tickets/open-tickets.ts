import { replaceDurably } from '../../kernel/files/durable-file.ts';
import type { Log } from '../../kernel/log.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';

/** More than a device may hold. */
const KEPT_MAX = 16;
const ID_CHARS_MAX = 200;
const BYTES_MAX = 64 * 1024;

/** Which upload tickets are open, on disk: a process that is killed cannot give its tickets back, and each counts
 *  against the ten of the device for an hour. */
export interface OpenTickets {
  /** Those that an earlier process left open. */
  left(): string[];
  add(correlationId: string): void;
  remove(correlationId: string): void;
}

/** @param file a JSON array of correlation ids; made when the first ticket is taken. When it cannot be read or written
 *    that is told, and tickets are used all the same */
export function createOpenTickets(file: string, log: Log): OpenTickets {
  const ids = new Set(readIds(file, log));
  const left = new Set(ids);

  function write(): void {
    try {
      replaceDurably(file, JSON.stringify([...ids]));
    } catch (error) {
      log.warn(
        { event: 'link.tickets-not-kept', err: error },
        'open upload tickets cannot be noted on disk; one that a kill leaves open is forgotten by the hub after an hour',
      );
    }
  }

  return {
    left: () => [...left],
    add(correlationId) {
      ids.add(correlationId);
      // The hub has forgotten those that were never given back.
      for (const oldest of ids) {
        if (ids.size <= KEPT_MAX) break;
        ids.delete(oldest);
        left.delete(oldest);
      }
      write();
    },
    remove(correlationId) {
      left.delete(correlationId);
      if (ids.delete(correlationId)) write();
    },
  };
}

function readIds(file: string, log: Log): string[] {
  let text: string;
  try {
    text = readSmallText(file, BYTES_MAX);
  } catch (error) {
    // The first start.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    log.warn({ event: 'link.tickets-unreadable', err: error }, `${file} cannot be read`);
    return [];
  }
  try {
    const ids: unknown = JSON.parse(text);
    if (!Array.isArray(ids)) throw new SyntaxError('it is no list');
    return ids
      .filter((id): id is string => typeof id === 'string' && id.length > 0 && id.length <= ID_CHARS_MAX)
      .slice(-KEPT_MAX);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    log.warn({ event: 'link.tickets-unreadable' }, `${file} is no list of tickets: ${error.message}`);
    return [];
  }
}
