import { writeLogLine } from '@dachawatch/contracts/standard-error';

/** Where ports tell what happens to them between two calls. */
export interface PortLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** One JSON object a line on standard error: the host collects it. */
export const stderrLog: PortLog = {
  info: (fields, message) => write('info', fields, message),
  warn: (fields, message) => write('warn', fields, message),
};

const write = (level: string, fields: object, message: string) =>
  writeLogLine(`${JSON.stringify({ level, ...fields, msg: message })}\n`);
