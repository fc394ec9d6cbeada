import { pino, type DestinationStream } from 'pino';

/** Structured log. Warn: somebody may act. Error: somebody must. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** Signatures of storage tickets, keys in connection strings, logins in RTSP addresses. */
const SECRETS: readonly [RegExp, string][] = [
  [/([?&]sig=)[^&\s"]+/gi, '$1***'],
  [/(SharedAccessKey=)[^;\s"]+/gi, '$1***'],
  [/(SharedAccessSignature )[^\s"]+/gi, '$1***'],
  [/(AccountKey=)[^;\s"]+/gi, '$1***'],
  // Up to the last @: a password may hold what ends a login, written rightly or not.
  [/(rtsps?:\/\/)(?:[^\s"]|\\")*@/gi, '$1***@'],
  // As JSON, and as JSON inside a text.
  [/("(?:password|passwd|pwd|user-pw|sasToken)"\s*:\s*")(?:[^"\\]|\\.)*/gi, '$1***'],
  [/(\\"(?:password|passwd|pwd|user-pw|sasToken)\\"\s*:\s*\\")(?:\\\\(?:\\.|[^\\])|[^\\"])*/gi, '$1***'],
  // In quotation marks, as such and inside JSON.
  [/((?:password|passwd|pwd|user-pw|sasToken)\s*[:=]\s*")(?:[^"\\]|\\.)*/gi, '$1***'],
  [/((?:password|passwd|pwd|user-pw|sasToken)\s*[:=]\s*\\")(?:\\\\(?:\\.|[^\\])|[^\\"])*/gi, '$1***'],
  [/((?:password|passwd|pwd|user-pw|sasToken)\s*[:=]\s*)(?!\*\*\*)[^"\\\s,}]+/gi, '$1***'],
  [/(\bAuthorization:\s*Basic\s+)[\w+/=]+/gi, '$1***'],
  [/(\bresponse=\\?")[^"\\]*/gi, '$1***'],
];

/** Takes every secret we know of out of a line. */
export const redact = (line: string): string =>
  SECRETS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);

/** @param level pino level name
 *  @param write receives whole redacted lines; standard error when absent */
export function createLog(
  level: string,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Log {
  const destination: DestinationStream = { write: (line: string) => write(redact(line)) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
