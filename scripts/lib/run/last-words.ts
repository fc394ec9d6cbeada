/** What a process said last, out of its log: the reason why it ended, for a person. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isJson } from '@dachawatch/contracts';
import { redact } from '@dachawatch/contracts/redact';

const READ_BYTES = 64 * 1024;
const SENTENCE_MAX = 500;
/** What Node prints around an error nobody took: frames, source lines with a caret, properties, its version. */
const AROUND_AN_ERROR = /^\s|^$|^node:|^file:|^\/.*:\d+$|^[{}\])][,;]?$|^Node\.js v|^Warning: /;
const ERROR = /^(?:Uncaught )?(?:\[?\w*Error|Failure)(?: \[\w+\])?: (.+?)\]?$/;

/** @param file a log
 *  @param from where the words of this process begin in it, bytes
 *  @returns undefined when it said nothing */
export function lastWords(file: string, from: number): string | undefined {
  for (const line of tail(file, from).split('\n').toReversed()) {
    if (AROUND_AN_ERROR.test(line)) continue;
    const said = line.startsWith('{') ? saidInJson(line) : (ERROR.exec(line)?.[1] ?? line);
    if (said !== undefined) return redact(said.trim()).slice(0, SENTENCE_MAX);
  }
  return undefined;
}

/** The sentence of a line of a structured log; of an error rather than of what led to it. */
function saidInJson(line: string): string | undefined {
  try {
    const said: unknown = JSON.parse(line);
    if (!isJson(said)) return undefined;
    const { err, error, message, msg } = said;
    const inner = [isJson(err) ? err['message'] : err, isJson(error) ? error['message'] : error];
    return [...inner, message, msg].find((one) => typeof one === 'string' && one !== '') as
      | string
      | undefined;
  } catch {
    return undefined;
  }
}

function tail(file: string, from: number): string {
  const fd = openSync(file, 'r');
  try {
    const end = fstatSync(fd).size;
    const begin = Math.max(from, end - READ_BYTES);
    const bytes = Buffer.alloc(Math.max(0, end - begin));
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, begin));
  } finally {
    closeSync(fd);
  }
}
