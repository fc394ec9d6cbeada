import { readFile } from 'node:fs/promises';
import { content, type Content } from '../answer.ts';
import { LANGUAGES, type Language } from '../language.ts';
import { bundle } from './page-bundle.ts';

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** The page's modules, which are sent as one; each stands behind those that it imports. */
export const PAGE_MODULES = [
  'ask',
  'elements',
  'texts',
  'format',
  'sentence',
  'house',
  'machine',
  'night',
  'clip-card',
  'clip-blocks',
  'clip-list',
  'why',
  'poller',
  'page',
] as const;

/** What the page consists of beside them and `index.html`. */
export const PAGE_FILES = ['style.css', 'icon.svg', 'texts.en.json', 'texts.uk.json'] as const;

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
  const read = (name: string) => readFile(new URL(`../page/${name}`, import.meta.url));
  const loaded = await Promise.all(
    PAGE_FILES.map(async (name) => {
      const ending = name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES;
      return [`/${name}`, content(TYPES[ending], await read(name))] as const;
    }),
  );
  const sources = await Promise.all(
    PAGE_MODULES.map(async (name) => [name, (await read(`${name}.js`)).toString('utf8')] as const),
  );
  const script = ['/page.js', content(TYPES.js, bundle(new Map(sources)))] as const;
  const template = (await read('index.html')).toString('utf8');
  const indexWith = (logout: '' | 'hidden') =>
    Object.fromEntries(
      LANGUAGES.map((language) => {
        const html = template.replaceAll('{lang}', language).replace('{logout}', logout);
        return [language, content(TYPES.html, html)];
      }),
    ) as Record<Language, Content>;
  return { files: new Map([...loaded, script]), index: indexWith('hidden'), indexWithLogout: indexWith('') };
}
