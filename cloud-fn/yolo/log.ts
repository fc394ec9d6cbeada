import { redact } from '@dachawatch/contracts/redact';

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One JSON object a line. */
export function createLog(write: (line: string) => void, nowMs: () => number = Date.now): Log {
  const at = (level: string) => (fields: object, message: string) => {
    const line = JSON.stringify({ time: new Date(nowMs()).toISOString(), level, ...fields, msg: message });
    write(`${redact(line)}\n`);
  };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
