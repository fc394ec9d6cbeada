import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a program says, as its source has it: `{}` stands where a value is put in. */
export interface Sentence {
  readonly file: string;
  readonly text: string;
}

const SQL = /\b(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER|ATTACH)\b/;
/** What stands before it says that only the log gets it, or that it means a bug, which ends the process. */
const ONLY_LOGGED = /log\.\w+\([^;]*$|log\[\w+\]\([^;]*$|'bug', '[\w.-]+', $/;
const LOOKED_BACK = 160;

/** Texts of at least two words in the TypeScript files of a folder, or in one file. */
export function sentencesIn(path: string): Sentence[] {
  if (statSync(path).isDirectory()) return readdirSync(path).flatMap((name) => sentencesIn(join(path, name)));
  if (!path.endsWith('.ts')) return [];
  const source = readFileSync(path, 'utf8');
  return literalsIn(source)
    .filter(({ text }) => /[a-z]+ [a-z]/.test(text) && !SQL.test(text))
    .filter(({ at }) => {
      const before = source.slice(Math.max(0, at - LOOKED_BACK), at).replaceAll(/\s+/g, ' ');
      return !ONLY_LOGGED.test(before);
    })
    .map(({ text }) => ({ file: path, text }));
}

/** String and template literals, without comments and regular expressions. */
function literalsIn(source: string): { at: number; text: string }[] {
  const found: { at: number; text: string }[] = [];
  let at = 0;
  let last = '';

  function skipRegExp(): void {
    let inClass = false;
    for (at += 1; at < source.length && (source[at] !== '/' || inClass); at += 1) {
      if (source[at] === '\\') at += 1;
      else if (source[at] === '[') inClass = true;
      else if (source[at] === ']') inClass = false;
    }
    at += 1;
    last = '/';
  }
  function literal(quote: string): void {
    const start = at;
    let text = '';
    at += 1;
    while (at < source.length && source[at] !== quote) {
      if (source[at] === '\\') {
        text += source[at + 1] ?? '';
        at += 2;
      } else if (quote === '`' && source.startsWith('${', at)) {
        at += 2;
        code(true);
        at += 1;
        text += '{}';
      } else text += source[at++] ?? '';
    }
    at += 1;
    last = 'x';
    found.push({ at: start, text });
  }
  function code(untilBrace: boolean): void {
    let depth = 0;
    while (at < source.length) {
      const char = source[at] ?? '';
      if (source.startsWith('//', at)) at = lineEnd();
      else if (source.startsWith('/*', at)) at = source.indexOf('*/', at) + 2;
      else if (char === '/' && /[=(,:;!&|?{}[>]/.test(last)) skipRegExp();
      else if (`'"\``.includes(char)) literal(char);
      else {
        if (untilBrace && char === '}' && depth === 0) return;
        if (char === '{') depth += 1;
        if (char === '}') depth -= 1;
        if (!/\s/.test(char)) last = char;
        at += 1;
      }
    }
  }
  const lineEnd = () => {
    const end = source.indexOf('\n', at);
    return end < 0 ? source.length : end;
  };
  code(false);
  return found;
}
