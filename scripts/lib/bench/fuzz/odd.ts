/** Odd values, texts and documents, drawn from a seed. */
import type { Random } from '../faults/random.ts';

const DEEP = 20_000;
const LONG = 100_000;

/** JSON texts of values that nobody expects. */
const VALUES: readonly (() => string)[] = [
  ...['null', 'true', 'false', '0', '-1', '1e300', '-0.0', '12345678901234567890', '1e-400', '""', '" "'].map(
    (text) => () => text,
  ),
  ...[
    '[]',
    '{}',
    '[[]]',
    '{"a":{}}',
    '[null]',
    '{"__proto__":{"x":1}}',
    '{"constructor":1,"toString":2}',
  ].map((text) => () => text),
  ...['"\\u0000"', '"\\ud800"', '"\\ufffe\\uffff"', '"😀їжак"', '"../../etc/passwd"', '"<a>&\\"\'"'].map(
    (text) => () => text,
  ),
  ...[
    '"2026-02-30T25:61:61Z"',
    '"0x10"',
    '"NaN"',
    '"javascript:alert(1)"',
    '"https://nowhere.invalid/x"',
  ].map((text) => () => text),
  () => JSON.stringify('x'.repeat(LONG)),
  () => `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
  () => `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
];

/** Words for a part of an address, encoded. */
const WORDS = [
  ...[
    '',
    '.',
    '..',
    '%2e%2e',
    '%2F',
    '%00',
    '%0d%0a',
    '%zz',
    '%ff%fe',
    '%ED%A0%80',
    '%EF%BF%BE',
    '+',
    '%2B',
    '%23',
  ],
  ...[
    '%3F',
    '%5C',
    '%20',
    ';',
    '@',
    '~',
    '$',
    '*',
    'null',
    'undefined',
    '__proto__',
    'constructor',
    '-1',
    '0',
  ],
  ...[
    '1e300',
    '%D1%97%D0%B6%D0%B0%D0%BA',
    '%F0%9F%98%80',
    'a'.repeat(256),
    'a'.repeat(257),
    'a'.repeat(7_000),
  ],
] as const;

export const oddWord = (random: Random): string => random.pick(WORDS);
export const oddJson = (random: Random): string => random.pick(VALUES)();

type Path = readonly (string | number)[];

/** A document with one to three of its parts replaced, removed or added, as JSON text; or that text damaged. */
export function oddDocument(random: Random, valid: unknown): string {
  const text = withOddParts(random, valid);
  if (random.chance(0.6)) return text;
  return damaged(random, text);
}

function withOddParts(random: Random, valid: unknown): string {
  if (random.chance(0.1)) return oddJson(random);
  // What is put in is JSON text: a value of 20,000 levels cannot be written by JSON.stringify.
  const texts = new Map<string, string>();
  const copy = structuredClone({ root: valid });
  for (let left = random.between(1, 3); left > 0; left -= 1) {
    const path = random.pick(pathsOf(copy.root, ['root']));
    const parent = parentOf(copy, path);
    const key = path.at(-1) ?? 'root';
    const mark = `odd-${texts.size}-${random.between(0, 1e9)}`;
    if (random.chance(0.2) && path.length > 1) {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      continue;
    }
    texts.set(`"${mark}"`, oddJson(random));
    if (random.chance(0.15) && !Array.isArray(parent) && path.length > 1) parent[`${key} `] = mark;
    else parent[key] = mark;
  }
  let text = JSON.stringify(copy.root) ?? '';
  for (const [mark, value] of texts) text = text.replace(mark, () => value);
  return text;
}

function pathsOf(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, one]: [string, unknown]) => pathsOf(one, [...path, key])),
  ];
}

function parentOf(whole: object, path: Path): Record<string | number, unknown> {
  let at = whole as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  return at;
}

/** Cut off, with something in it that does not belong there, or something else entirely. */
export function damaged(random: Random, text: string): string {
  const at = random.between(0, text.length);
  switch (random.between(0, 5)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return `${text.slice(0, at)}${random.pick(['\u0000', '"', '{', '\\', '\ufffe', '\n', "'"])}${text.slice(at)}`;
    case 2:
      return `${text}${text}`;
    case 3:
      return '';
    case 4:
      return Array.from({ length: random.between(1, 200) }, () =>
        String.fromCharCode(random.between(0, 0xd7ff)),
      ).join('');
    default:
      return `\ufeff${text}`;
  }
}
