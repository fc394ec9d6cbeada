/** How `scripts/camera` speaks: results on standard output, what it does on standard error. */
import { redact } from '@dachawatch/contracts';

/** A line of a result. */
export const say = (line: string): void => void process.stdout.write(`${printable(redact(line))}\n`);

/** What is being done. */
export const tell = (line: string): void => void process.stderr.write(`${printable(redact(line))}\n`);

/** The whole result, for programs. */
export const sayJson = (value: object): void =>
  void process.stdout.write(`${redact(JSON.stringify(value))}\n`);

/** Cameras name themselves as they like: nothing that a terminal would obey. */
const printable = (line: string): string => line.replaceAll(/[\p{Cc}\p{Cf}]/gu, '');
