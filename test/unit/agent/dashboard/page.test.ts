import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  CONDITION_CODES,
  POWER_STATES,
  SHUTDOWN_PHASES,
  SUPPRESSION_REASONS,
  VERDICTS,
} from '@dachawatch/contracts';
import { APPLIANCE_STATES } from '../../../../agent/health/appliance-status.ts';
import { LANGUAGES } from '../../../../agent/dashboard/language.ts';
import { loadPageFiles, PAGE_FILES, PAGE_MODULES } from '../../../../agent/dashboard/files/page-files.ts';
import type { ClipState } from '../../../../agent/ledger/ledger.ts';

const SCRIPTS = PAGE_MODULES.map((name) => `${name}.js`);
const PAGE = new URL('../../../../agent/dashboard/page/', import.meta.url);
const read = (name: string) => readFile(new URL(name, PAGE), 'utf8');
type TextFile = Record<string, string | Record<string, string>>;
const textsOf = async (language: string): Promise<TextFile> =>
  JSON.parse(await read(`texts.${language}.json`));
const formsOf = (entry: string | Record<string, string>) =>
  typeof entry === 'string' ? [entry] : Object.values(entry);
const holesOf = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].toSorted();

const CLIP_STATES = Object.keys({
  recording: 0,
  sealed: 0,
  uploading: 0,
  uploaded: 0,
  judged: 0,
  parked: 0,
  lost: 0,
} satisfies Record<ClipState, 0>);

/** Keys that are put together on the page, and what may stand in the gap. */
const PUT_TOGETHER: Record<string, readonly string[]> = {
  // The sentence of `condition` is that of its code.
  house: APPLIANCE_STATES.filter((state) => state !== 'condition'),
  condition: CONDITION_CODES,
  camera: ['live', 'starting', 'blind', 'stalled', 'unreachable', 'refused', 'unsupported'],
  'camera.picture': ['fresh', 'old', 'none'],
  link: ['connecting', 'online', 'refused', 'offline'],
  upload: ['idle', 'uploading', 'waiting'],
  power: POWER_STATES,
  'power.off': SHUTDOWN_PHASES,
  clock: ['synchronised', 'unsynchronised'],
  throttled: ['under-voltage', 'frequency-capped', 'throttled', 'soft-temperature-limit'],
  verdict: VERDICTS,
  clip: CLIP_STATES,
  custody: [
    'open',
    'seal',
    'lease',
    'expire',
    'fail',
    'park',
    'upload',
    'judge',
    'requeue',
    'unlink',
    'lose',
  ],
  suppressed: SUPPRESSION_REASONS,
  label: ['person', 'car', 'dog'],
};

test('both languages have the same keys, in the same order, with the same values to fill in', async () => {
  const [en, uk] = [await textsOf('en'), await textsOf('uk')];
  assert.deepEqual(Object.keys(uk), Object.keys(en));
  for (const [key, entry] of Object.entries(en)) {
    const other = uk[key] ?? '';
    assert.equal(typeof other, typeof entry, key);
    for (const form of [...formsOf(entry), ...formsOf(other)])
      assert.deepEqual(holesOf(form), holesOf(formsOf(entry)[0] ?? ''), `${key}: ${form}`);
  }
});

test('every plural has each form its language needs', async () => {
  for (const language of LANGUAGES) {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    for (const [key, entry] of Object.entries(await textsOf(language)))
      if (typeof entry !== 'string') {
        // Beside them a number may have a form of its own.
        const forms = Object.keys(entry).filter((form) => !/^\d+$/.test(form));
        assert.deepEqual(forms.toSorted(), needed, key);
      }
  }
});

test('every text the page asks for exists, and none is there for nobody', async () => {
  const source = (await Promise.all([...SCRIPTS, 'index.html'].map(read))).join('\n');
  const used = new Set<string>();
  for (const [, key = ''] of source.matchAll(/data-(?:text|label)="([^"]+)"/g)) used.add(key);
  for (const [, key = ''] of source.matchAll(
    /'((?:page|night|house|condition|camera|link|upload|clip|custody|why|power|machine|desired)\.[\w.]+)'/g,
  ))
    used.add(key);
  const gaps = [...source.matchAll(/`([a-z.]+)\.\$\{/g)].map(([, prefix = '']) => prefix);
  for (const prefix of new Set(gaps.filter((prefix) => prefix !== 'texts'))) {
    assert.ok(PUT_TOGETHER[prefix], `this test does not know what may follow "${prefix}."`);
    for (const end of PUT_TOGETHER[prefix]) used.add(`${prefix}.${end}`);
  }
  const keys = Object.keys(await textsOf('en'));
  for (const key of used) assert.ok(keys.includes(key), `no text for ${key}`);
  const spare = keys.filter((key) => !used.has(key) && !/^(label|custody)\./.test(key));
  assert.deepEqual(spare, []);
});

test('every file of the page is served, and it loads nothing from elsewhere', async () => {
  const present = (await readdir(PAGE)).filter((name) => name !== 'index.html');
  assert.deepEqual(present.toSorted(), [...PAGE_FILES, ...SCRIPTS].toSorted());
  for (const name of [...PAGE_FILES, ...SCRIPTS, 'index.html']) {
    const text = (await read(name)).replaceAll('http://www.w3.org/2000/svg', '');
    assert.doesNotMatch(text, /https?:|@import|url\(/, name);
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/, name);
  }
});

test('the page has no inline script, style or handler', async () => {
  const html = await read('index.html');
  assert.doesNotMatch(html, /<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/);
});

test('the whole page weighs less than 26 kB on the wire, in either language', async () => {
  const { files, index } = await loadPageFiles();
  for (const language of LANGUAGES) {
    const names = ['/page.js', '/style.css', '/icon.svg', `/texts.${language}.json`];
    const sent = [index[language], ...names.map((name) => files.get(name))];
    const packed = sent.reduce(
      (sum, one) => sum + (one?.packed?.byteLength ?? one?.plain.byteLength ?? 0),
      0,
    );
    assert.ok(packed < 26_000, `${language}: ${packed} bytes on the wire`);
  }
});
