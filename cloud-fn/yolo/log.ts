export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Account keys and signatures, wherever they appear in a line. */
const SECRETS: readonly [RegExp, string][] = [
  [/(AccountKey=)[^;\s"]+/gi, '$1***'],
  [/([?&]sig=)[^&\s"]+/gi, '$1***'],
];

/** One JSON object a line. */
export function createLog(write: (line: string) => void, nowMs: () => number = Date.now): Log {
  const at = (level: string) => (fields: object, message: string) => {
    const line = JSON.stringify({ time: new Date(nowMs()).toISOString(), level, ...fields, msg: message });
    write(`${SECRETS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line)}\n`);
  };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
