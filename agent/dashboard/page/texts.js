/** One language of the page.
 *  @typedef {object} Texts
 *  @property {string} language
 *  @property {(key: string, values?: Record<string, string | number>) => string} t a text with its `{names}`
 *  filled in; where the text has plural forms, `n` chooses
 *  @property {(key: string) => boolean} knows */

/** @param {string} language `en` or `uk`
 *  @param {Record<string, string | Record<string, string>>} texts
 *  @returns {Texts} */
export function createTexts(language, texts) {
  const plural = new Intl.PluralRules(language);
  const knows = (key) => Object.hasOwn(texts, key);

  function t(key, values = {}) {
    if (!knows(key)) return key;
    const entry = texts[key];
    const text = typeof entry === 'string' ? entry : entry[plural.select(values.n)];
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  return { language, t, knows };
}

/** @param {string} language */
export async function fetchTexts(language) {
  const response = await fetch(`/texts.${language}.json`);
  if (!response.ok) throw new Error(`texts in ${language}: ${response.status}`);
  return createTexts(language, await response.json());
}

/** Remembers the choice for a year; the server greets in it next time. */
export function rememberLanguage(language) {
  document.cookie = `dachawatch-lang=${language}; Max-Age=31536000; Path=/; SameSite=Strict`;
}
