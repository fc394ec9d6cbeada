import { readFileSync } from 'node:fs';
import { redact } from '../kernel/log.ts';
import { type Answer, problem } from './answer.ts';
import { isLanguage, LANGUAGES, type Language } from './language.ts';
import type { PageRequest } from './request-handler.ts';

/** A sentence of the program, in pieces: `the hub refused us: {}` has the two `the hub refused us: ` and ``. */
interface Known {
  readonly pieces: readonly string[];
  /** `{1}` is what stood in the first gap; `[1]` is a word of ours there, which is translated too; `<1>` are names. */
  readonly translation: string;
  /** Letters that must be there: of two that fit, the one with more says more. */
  readonly weight: number;
}

/** Longer texts are no reasons of ours. */
const LONGEST = 1_000;
/** Sentences within sentences. */
const DEEPEST = 6;
const SEPARATORS = ['. ', '; ', ', ', ': ', ' '];
/** Places at which a text is taken apart, in all: a camera that says much costs little. */
const MOST_CUTS = 60;
const UNITS: Readonly<Record<string, string>> = {
  ...{ ms: 'мс', s: 'с', min: 'хв', h: 'год', times: 'разів' },
  ...{ bytes: 'байтів', kB: 'кБ', MB: 'МБ', GB: 'ГБ' },
};
const MEASURE = new RegExp(`^([\\d.]+) (${Object.keys(UNITS).join('|')})$`);
const GAP = /[{[<](\d)[}\]>]/g;
const REMEMBERED = 1_000;

/** What is said of a reason: without secrets, in one language. */
export type Say = (text: string) => string;
/** In the language that a request asks for by `lang`; undefined when there is no such language. */
export type SayIn = (request: Pick<PageRequest, 'query'>) => Say | undefined;

export const noSuchLanguage = (): Answer => problem(400, 'lang', `lang is one of ${LANGUAGES.join(', ')}.`);

export function createSay(): SayIn {
  const reasons = createReasons();
  return ({ query }) => {
    const language = query.get('lang') ?? 'en';
    return isLanguage(language) ? (text) => reasons(redact(text), language) : undefined;
  };
}

/** Says a reason in the language of whoever reads it. Reasons are English sentences wherever they are kept, sent and
 *  logged; the catalogue beside this file is keyed by them, with a gap for each value. What comes from outside, like the
 *  words of a camera or of the system, stands in quotes. */
export function createReasons(): (text: string, language: Language) => string {
  const file = new URL('reasons.uk.json', import.meta.url);
  const catalogue = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  const translate = createTranslator(catalogue);
  const remembered = new Map<string, string>();
  return (text, language) => {
    if (language === 'en' || text === '') return text;
    const before = remembered.get(text);
    if (before !== undefined) return before;
    const told = translate(text) ?? `Повідомлено: «${text}»`;
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(text, told);
    return told;
  };
}

/** @param catalogue from a sentence with `{}` in each gap to its translation
 *  @returns what translates a text; undefined when nothing in it is known */
export function createTranslator(catalogue: Readonly<Record<string, string>>) {
  const known: Known[] = Object.entries(catalogue)
    .map(([sentence, translation]) => {
      const pieces = sentence.split('{}');
      return { pieces, translation, weight: pieces.join('').length };
    })
    .toSorted((a, b) => b.weight - a.weight);

  function whole(text: string, depth: number): string | undefined {
    for (const { pieces, translation } of known) {
      const values = valuesIn(text, pieces);
      if (!values) continue;
      return translation.replaceAll(GAP, (gap, number: string, at: number) => {
        const value = values[Number(number) - 1] ?? '';
        const measure = MEASURE.exec(value);
        if (measure) return `${measure[1]} ${UNITS[measure[2] ?? '']}`;
        // One word is a name, unless the sentence says that it is one of ours.
        if (gap.startsWith('<') || (gap.startsWith('{') && !isProse(value))) return value;
        const isQuoted = QUOTE.test(translation.charAt(at - 1));
        return inParts(value, depth + 1) ?? (isQuoted ? value : quoted(value));
      });
    }
    return undefined;
  }

  let cuts = 0;
  /** As one sentence, or as some that are put together. */
  function inParts(text: string, depth = 0): string | undefined {
    if (text.length > LONGEST || depth > DEEPEST) return undefined;
    const found = whole(text, depth);
    if (found !== undefined) return found;
    for (const separator of SEPARATORS)
      for (let at = text.indexOf(separator); at > 0; at = text.indexOf(separator, at + 1)) {
        if ((cuts += 1) > MOST_CUTS) return undefined;
        const end = separator === '. ' ? at + 1 : at;
        const before = text.slice(0, end);
        // A word of ours says nothing about the words behind it.
        const left = separator === ' ' && !before.includes(' ') ? undefined : whole(before, depth);
        const rest = text.slice(at + separator.length);
        if (left !== undefined)
          return `${left}${text.slice(end, at + separator.length)}${inParts(rest, depth + 1) ?? quoted(rest)}`;
        const right = separator === ' ' ? undefined : whole(rest, depth);
        if (right !== undefined) return `${quoted(text.slice(0, at))}${separator}${right}`;
      }
    return undefined;
  }

  return (text: string): string | undefined => {
    cuts = 0;
    return inParts(text.trim());
  };
}

const QUOTE = /["«]/;
const isProse = (text: string) => /\s\p{L}/u.test(text);
/** What is not known stands in quotes when it is in words; a name, a number or a path stands as it is. */
const quoted = (text: string) => (isProse(text) && !QUOTE.test(text.charAt(0)) ? `«${text}»` : text);

/** What stands in the gaps between these pieces; undefined when the text is not made of them. Looks at each piece once. */
function valuesIn(text: string, pieces: readonly string[]): string[] | undefined {
  const [first = '', ...others] = pieces;
  if (!text.startsWith(first)) return undefined;
  if (others.length === 0) return text === first ? [] : undefined;
  const last = others.at(-1) ?? '';
  const values: string[] = [];
  let from = first.length;
  for (const piece of others.slice(0, -1)) {
    const at = text.indexOf(piece, from);
    if (at < 0) return undefined;
    values.push(text.slice(from, at));
    from = at + piece.length;
  }
  const end = text.length - last.length;
  if (end < from || !text.endsWith(last)) return undefined;
  values.push(text.slice(from, end));
  return values;
}
