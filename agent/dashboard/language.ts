export const LANGUAGES = ['en', 'uk'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The page's own choice is kept in this cookie; it holds nothing else. */
export const LANGUAGE_COOKIE = 'dachawatch-lang';

export const isLanguage = (text: string | undefined): text is Language =>
  LANGUAGES.some((language) => language === text);

/** The language to greet a browser in: what its user chose before, else what the browser asks for, else English.
 *  @param cookie the Cookie header
 *  @param acceptLanguage the Accept-Language header, like `uk-UA,uk;q=0.9,en;q=0.8` */
export function chooseLanguage(cookie: string | undefined, acceptLanguage: string | undefined): Language {
  const chosen = (cookie ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='))
    .find(([name]) => name === LANGUAGE_COOKIE)?.[1];
  if (isLanguage(chosen)) return chosen;
  let best: { language: Language; weight: number } | undefined;
  for (const part of (acceptLanguage ?? '').slice(0, 500).split(',')) {
    const [range = '', ...params] = part.split(';').map((text) => text.trim().toLowerCase());
    const language = range.split('-')[0];
    const quality = params.find((param) => param.startsWith('q='))?.slice(2);
    const weight = quality === undefined ? 1 : Number(quality);
    if (isLanguage(language) && weight > (best?.weight ?? 0)) best = { language, weight };
  }
  return best?.language ?? 'en';
}
