import type { Log } from '../../agent/kernel/log.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** A log that remembers. */
export interface LogBook {
  readonly log: Log;
  readonly lines: {
    readonly level: Level;
    readonly fields: Record<string, unknown>;
    readonly message: string;
  }[];
  /** Names of the events of a level, in order. */
  readonly events: (level: Level) => unknown[];
}

export function createLogBook(): LogBook {
  const lines: LogBook['lines'] = [];
  const write = (level: Level) => (fields: object, message: string) =>
    lines.push({ level, fields: { ...fields }, message });
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return {
    log,
    lines,
    events: (wanted) => lines.filter(({ level }) => level === wanted).map(({ fields }) => fields['event']),
  };
}
