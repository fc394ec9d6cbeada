import { ask } from './ask.js';

/** One language of the page.
 *  @typedef {object} Texts
 *  @property {string} language
 *  @property {(key: string, values?: Record<string, string | number>) => string} t a text with its `{names}`
 *  filled in; where the text has plural forms, `n` chooses: a form for that very number, else by the language's rules
 *  @property {(key: string) => boolean} knows */

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
/** Invisible characters that turn the direction of what follows. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Texts that are isolated already, in an object of their own. */
const done = new WeakSet();

/** Text of others, which may be of any script, so that it cannot reorder what stands beside it. */
function isolate(text) {
  const plain = text.replace(TURNS, '');
  return RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : plain;
}

/** Several texts of others, for one gap of a text.
 *  @param {string[]} words
 *  @param {(words: string[]) => string} join */
export const isolated = (words, join) => {
  const text = { text: join(words.map(isolate)) };
  done.add(text);
  return text;
};

const filled = (value) => (done.has(value) ? value.text : isolate(String(value)));

/** @param {string} language `en` or `uk`
 *  @param {Record<string, string | Record<string, string>>} texts
 *  @returns {Texts} */
export function createTexts(language, texts) {
  const plural = new Intl.PluralRules(language);
  const knows = (key) => Object.hasOwn(texts, key);

  function t(key, values = {}) {
    if (!knows(key)) return key;
    const entry = texts[key];
    const text = typeof entry === 'string' ? entry : (entry[values.n] ?? entry[plural.select(values.n)]);
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? filled(values[name]) : whole));
  }

  return { language, t, knows };
}

/** @param {string} language */
export async function fetchTexts(language) {
  const response = await ask(`/texts.${language}.json`);
  if (!response.ok) throw new Error(`texts in ${language}: ${response.status}`);
  return createTexts(language, await response.json());
}

/** Remembers the choice for a year; the server greets in it next time. */
export function rememberLanguage(language) {
  document.cookie = `dachawatch-lang=${language}; Max-Age=31536000; Path=/; SameSite=Strict`;
}
