import { readFile } from 'node:fs/promises';
import { content, type Content } from './answer.ts';
import { LANGUAGES, type Language } from './language.ts';

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** Everything the page consists of, beside `index.html`. */
export const PAGE_FILES = [
  'style.css',
  'page.js',
  'poller.js',
  'texts.js',
  'format.js',
  'house.js',
  'sentence.js',
  'machine.js',
  'night.js',
  'clip-list.js',
  'clip-blocks.js',
  'clip-card.js',
  'why.js',
  'elements.js',
  'icon.svg',
  'texts.en.json',
  'texts.uk.json',
] as const;

export interface PageFiles {
  /** By path, like `/style.css`. */
  readonly files: ReadonlyMap<string, Content>;
  /** The page itself, greeting in each language. */
  readonly index: Readonly<Record<Language, Content>>;
  /** The same for who is logged in. */
  readonly indexWithLogout: Readonly<Record<Language, Content>>;
}

/** Reads the page into memory, once: no request touches the folder. */
export async function loadPageFiles(): Promise<PageFiles> {
  const read = (name: string) => readFile(new URL(`page/${name}`, import.meta.url));
  const loaded = await Promise.all(
    PAGE_FILES.map(async (name) => {
      const ending = name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES;
      return [`/${name}`, content(TYPES[ending], await read(name))] as const;
    }),
  );
  const template = (await read('index.html')).toString('utf8');
  const indexWith = (logout: '' | 'hidden') =>
    Object.fromEntries(
      LANGUAGES.map((language) => {
        const html = template.replaceAll('{lang}', language).replace('{logout}', logout);
        return [language, content(TYPES.html, html)];
      }),
    ) as Record<Language, Content>;
  return { files: new Map(loaded), index: indexWith('hidden'), indexWithLogout: indexWith('') };
}
