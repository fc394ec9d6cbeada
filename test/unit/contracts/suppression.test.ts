import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { SUPPRESSION_REASONS, type SuppressionReason } from '@dachawatch/contracts';
import en from '../../../agent/dashboard/page/texts.en.json' with { type: 'json' };
import uk from '../../../agent/dashboard/page/texts.uk.json' with { type: 'json' };

const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('every reason for which nothing was recorded has its text in each language of the page', () => {
  // A reason without its text is already an error of the type check.
  const pages: Readonly<Record<string, Readonly<Record<`suppressed.${SuppressionReason}`, string>>>> = {
    en,
    uk,
  };
  for (const [language, texts] of Object.entries(pages)) {
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
