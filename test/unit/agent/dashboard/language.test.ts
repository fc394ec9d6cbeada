import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseLanguage } from '../../../../agent/dashboard/language.ts';

test('the browser is greeted in the language it asks for most', () => {
  assert.equal(chooseLanguage(undefined, 'uk-UA,uk;q=0.9,en;q=0.8'), 'uk');
  assert.equal(chooseLanguage(undefined, 'en-GB,en;q=0.9,uk;q=0.8'), 'en');
  assert.equal(chooseLanguage(undefined, 'de,uk;q=0.5,en;q=0.4'), 'uk');
  assert.equal(chooseLanguage(undefined, 'uk;q=0.2, en;q=0.7'), 'en');
});

test('English greets everybody else', () => {
  for (const header of [undefined, '', 'de', '*', 'uk;q=0', 'ukx', ';;,;q=,'])
    assert.equal(chooseLanguage(undefined, header), 'en', String(header));
});

test('what the user chose on the page wins; a cookie that names no language does not', () => {
  assert.equal(chooseLanguage('a=b; dachawatch-lang=uk', 'en'), 'uk');
  assert.equal(chooseLanguage('dachawatch-lang=en', 'uk'), 'en');
  assert.equal(chooseLanguage('dachawatch-lang=../../etc', 'uk'), 'uk');
});
