import { redact } from '@dachawatch/contracts/redact';
import { writeLogLine } from '@dachawatch/contracts/standard-error';
import { pino, type DestinationStream } from 'pino';

export { redact };

/** Structured log. Warn: somebody may act. Error: somebody must. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** @param level pino level name
 *  @param write receives whole redacted lines; standard error when absent */
export function createLog(level: string, write: (line: string) => void = writeLogLine): Log {
  const destination: DestinationStream = { write: (line: string) => write(redact(line)) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
