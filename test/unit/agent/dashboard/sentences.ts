import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a program says, as its source has it: `{}` stands where a value is put in. */
export interface Sentence {
  readonly file: string;
  readonly text: string;
}

const SQL = /\b(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER|ATTACH)\b|\bjson_\w+\(/;
/** What stands before it says that only the log gets it, or that it means a bug, which ends the process. */
const ONLY_LOGGED = /log\.\w+\([^;]*$|log\[\w+\]\([^;]*$|'bug', '[\w.-]+', $/;
const LOOKED_BACK = 160;

/** Sentences of the TypeScript files of a folder, or of one file: texts of two words or more, and texts around a value.
 *  A text put together of literals is one sentence; one with a choice of literals inside is as many as there are choices. */
export function sentencesIn(path: string): Sentence[] {
  if (statSync(path).isDirectory()) return readdirSync(path).flatMap((name) => sentencesIn(join(path, name)));
  if (!path.endsWith('.ts')) return [];
  const source = readFileSync(path, 'utf8');
  return literalsIn(source)
    .filter(({ at }) => {
      const before = source.slice(Math.max(0, at - LOOKED_BACK), at).replaceAll(/\s+/g, ' ');
      return !ONLY_LOGGED.test(before);
    })
    .flatMap(({ texts }) => texts)
    .filter((text) => isSaid(text) && !SQL.test(text))
    .map((text) => ({ file: path, text }));
}

/** Names under which something is written into the history of a clip. */
export function notedIn(path: string): Sentence[] {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ file: join(path, name), source: readFileSync(join(path, name), 'utf8') }));
  const all = files.map(({ source }) => source).join('\n');
  const calls = /(?:\bnote|writeCustody)\(\s*[\w.]+,\s*(?:'([\w-]+)'|([A-Z_]+))\s*,/g;
  return files.flatMap(({ file, source }) =>
    [...source.matchAll(calls)].map(([, text, constant]) => ({
      file,
      text: text ?? new RegExp(`const ${constant} = '([\\w-]+)'`).exec(all)?.[1] ?? `${constant}?`,
    })),
  );
}

/** A word beside another word or a value; an address or a name of a file is none. */
const isSaid = (text: string) =>
  /[a-z]+[,;:.)]* [a-z]/.test(text) || /\{\}[;:,.)]* [a-z]{2,}|[a-z]{2,}[:,(]* \{\}/.test(text);

interface Literal {
  readonly at: number;
  /** With `{}` in each gap; several when a gap chooses among literals. */
  readonly texts: readonly string[];
}

/** String and template literals, without comments and regular expressions. */
function literalsIn(source: string): Literal[] {
  const found: Literal[] = [];
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
  /** A literal, and those that are added to it. */
  function sum(): Literal {
    const start = at;
    let texts = literal();
    for (let next = nextTerm(); next !== undefined; next = nextTerm()) {
      at = next;
      const more = literal();
      texts = texts.flatMap((text) => more.map((end) => text + end));
    }
    last = 'x';
    return { at: start, texts };
  }
  function nextTerm(): number | undefined {
    const plus = /^\s*\+\s*(?=['"`])/.exec(source.slice(at, at + 200));
    return plus ? at + plus[0].length : undefined;
  }
  function literal(): readonly string[] {
    const quote = source[at];
    let texts: readonly string[] = [''];
    const add = (ends: readonly string[]) => {
      texts = texts.flatMap((text) => ends.map((end) => text + end));
    };
    at += 1;
    while (at < source.length && source[at] !== quote) {
      if (source[at] === '\\') {
        add([source[at + 1] ?? '']);
        at += 2;
      } else if (quote === '`' && source.startsWith('${', at)) {
        at += 2;
        last = '{';
        add(code(true));
        at += 1;
      } else add([source[at++] ?? '']);
    }
    at += 1;
    return texts;
  }
  /** @returns what a gap may hold: its literals when it chooses among them, `{}` for anything else */
  function code(isGap: boolean): readonly string[] {
    const choices: string[] = [];
    let depth = 0;
    let hasOther = false;
    while (at < source.length) {
      const char = source[at] ?? '';
      if (source.startsWith('//', at)) at = lineEnd();
      else if (source.startsWith('/*', at)) at = source.indexOf('*/', at) + 2;
      else if (char === '/' && /[=(,:;!&|?{}[>]/.test(last)) skipRegExp();
      else if (`'"\``.includes(char)) {
        const isChoice = isGap && depth === 0 && '?:'.includes(last);
        const one = sum();
        if (isChoice) choices.push(...one.texts);
        else found.push(one);
      } else {
        if (isGap && char === '}' && depth === 0) break;
        // A branch that is no literal.
        if (depth === 0 && '?:'.includes(last) && !/[\s?.]/.test(char)) hasOther = true;
        if ('{(['.includes(char)) depth += 1;
        if ('})]'.includes(char)) depth -= 1;
        if (!/\s/.test(char)) last = char;
        at += 1;
      }
    }
    return choices.length > 1 && !hasOther ? choices : [...choices, '{}'];
  }
  const lineEnd = () => {
    const end = source.indexOf('\n', at);
    return end < 0 ? source.length : end;
  };
  code(false);
  return found;
}
