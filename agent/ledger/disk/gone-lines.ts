import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../care/salvage.ts';

/** What a clip without a file was when the line was written. */
export interface GoneLine {
  /** The newest line of custody, by its number, that is behind it: a database whose custody is older than that does
   *  not know of it. */
  readonly seq: number;
  readonly row: Row & { readonly clip_id: string };
}

export interface GoneSegment {
  readonly number: number;
  readonly bytes: number;
}

/** A fact: number of the last line of custody that the newest backup is sure to have. */
export const BACKED_UP = 'gone_backed_up';

const NAME = /^ledger\.gone\.(\d{1,12})$/;
const CHECKSUM_CHARS = 16;

export const segmentFile = (dir: string, number: number) => join(dir, `ledger.gone.${number}`);

/** Numbers that are taken, whatever stands under the name. */
const numbersIn = (dir: string): number[] =>
  readdirSync(dir)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number);

export const nextNumber = (dir: string): number => Math.max(0, ...numbersIn(dir)) + 1;

/** The files that are ours, the oldest first. A link or a pipe of that name is not. */
export const segmentsIn = (dir: string): GoneSegment[] =>
  numbersIn(dir)
    .toSorted((a, b) => a - b)
    .flatMap((number) => {
      const stats = lstatSync(segmentFile(dir, number), { throwIfNoEntry: false });
      return stats?.isFile() && stats.nlink === 1 ? [{ number, bytes: stats.size }] : [];
    });

const checksumOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, CHECKSUM_CHARS);

/** One line. It begins with the end of the one before, which may have been torn. */
export function formatGone(line: GoneLine): string {
  const json = JSON.stringify(line);
  return `\n${checksumOf(json)} ${json}`;
}

/** @returns undefined for a line that was torn, or is none */
function parseGone(text: string): GoneLine | undefined {
  const json = text.slice(CHECKSUM_CHARS + 1);
  if (text.slice(0, CHECKSUM_CHARS) !== checksumOf(json)) return undefined;
  return JSON.parse(json) as GoneLine;
}

export interface ReadGone {
  /** The last line of each clip, by its id. */
  readonly lines: ReadonlyMap<string, GoneLine>;
  /** Numbers of segments that could not be read, and why. */
  readonly unread: ReadonlyMap<number, string>;
}

/** All that is written there. What is torn or damaged costs no more than its line, or its segment. */
export function readGone(dir: string): ReadGone {
  const lines = new Map<string, GoneLine>();
  const unread = new Map<number, string>();
  for (const { number } of segmentsIn(dir)) {
    let text: string;
    try {
      text = readFileSync(segmentFile(dir, number), 'utf8');
    } catch (error) {
      unread.set(number, (error as Error).message);
      continue;
    }
    for (const one of text.split('\n')) {
      const line = parseGone(one);
      if (line) lines.set(line.row.clip_id, line);
    }
  }
  return { lines, unread };
}
