import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { SUPPRESSION_REASONS } from '@dachawatch/contracts';

const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('every reason for which nothing was recorded has its text in each language of the page', async () => {
  for (const language of ['en', 'uk']) {
    const texts = JSON.parse(await read(`agent/dashboard/page/texts.${language}.json`)) as object;
    const translated = Object.keys(texts).filter((key) => key.startsWith('suppressed.'));
    const wanted = SUPPRESSION_REASONS.map((reason) => `suppressed.${reason}`);
    assert.deepEqual(translated.toSorted(), wanted.toSorted(), language);
  }
});

test('every reason for which nothing was recorded is explained to its reader', async () => {
  const pages = (await read('docs/motion.md')) + (await read('docs/zones.md'));
  for (const reason of SUPPRESSION_REASONS) assert.ok(pages.includes(`| \`${reason}\` |`), reason);
});

test('a reason can be part of the name of a file', () => {
  for (const reason of SUPPRESSION_REASONS) assert.match(reason, /^[a-z]+(-[a-z]+)*$/);
});
