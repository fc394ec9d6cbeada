import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { relative } from 'node:path';
import { createReasons, createTranslator } from '../../../../agent/dashboard/reasons.ts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { createLog } from '../../../../agent/kernel/log.ts';
import { createLedgerView, someClip, clipIdOf } from '../../../fakes/ledger-view.ts';
import {
  ask,
  createWorld,
  NOW_MS,
  someCamera,
  somePower,
  withMachine,
  type World,
} from './dashboard-world.ts';
import { sentencesIn } from './sentences.ts';

const ROOT = new URL('../../../../', import.meta.url).pathname;
const CATALOGUE = JSON.parse(readFileSync(`${ROOT}agent/dashboard/reasons.uk.json`, 'utf8')) as Record<
  string,
  string
>;
/** Sentences that no page shows: what only log, console or the other side of a call gets. */
const NOT_SHOWN = new Set(
  JSON.parse(readFileSync(new URL('not-reasons.json', import.meta.url), 'utf8')) as string[],
);
/** Who makes reasons that a page shows. */
const MAKERS = [
  'agent/capture',
  'agent/hub',
  'agent/upload',
  'agent/power',
  'agent/health',
  'agent/settings',
  'agent/kernel',
  'agent/ledger',
  'cloud-fn/orchestrators/decide-verdict.ts',
  'cloud-fn/orchestrators/untold.ts',
];

const isTranslated = (text: string) => Object.keys(CATALOGUE).some((known) => known.includes(text.trim()));

test('every sentence of the rooms is in Ukrainian too, or no page shows it', () => {
  const said = MAKERS.flatMap((path) => sentencesIn(`${ROOT}${path}`));
  assert.ok(said.length > 300, `only ${said.length} sentences were found`);
  const missing = said
    .filter(({ text }) => !isTranslated(text) && !NOT_SHOWN.has(text))
    .map(({ file, text }) => `${relative(ROOT, file)}: ${text}`);
  assert.deepEqual(
    missing,
    [],
    'a new sentence belongs into agent/dashboard/reasons.uk.json, or into not-reasons.json when no page shows it',
  );
});

test('no sentence is called unseen that is not there any more', () => {
  const said = new Set(MAKERS.flatMap((path) => sentencesIn(`${ROOT}${path}`)).map(({ text }) => text));
  assert.deepEqual(
    [...NOT_SHOWN].filter((text) => !said.has(text)),
    [],
  );
});

test('a translation puts in no value that its sentence does not have, and is Ukrainian', () => {
  for (const [sentence, translation] of Object.entries(CATALOGUE)) {
    const gaps = sentence.split('{}').length - 1;
    for (const [, plain, word] of translation.matchAll(/\{(\d)\}|\[(\d)\]/g))
      assert.ok(Number(plain ?? word) >= 1 && Number(plain ?? word) <= gaps, `${sentence}: ${translation}`);
    assert.match(translation, /[а-яіїєґ]|^GPIO/i, sentence);
  }
});

test('sentences within sentences are translated, names and numbers are not', () => {
  const say = createTranslator({
    'camera {}: {}': 'камера {1}: {2}',
    'the camera is too busy': 'камера перевантажена',
    'seen: {}': 'видно: [1]',
    dog: 'собака',
  });
  assert.equal(say('camera dog: the camera is too busy'), 'камера dog: камера перевантажена');
  assert.equal(say('camera {2}: $1'), 'камера {2}: $1');
  assert.equal(say('seen: dog'), 'видно: собака');
  assert.equal(
    say('the camera is too busy; the camera is too busy'),
    'камера перевантажена; камера перевантажена',
  );
  assert.equal(say('what the system said'), undefined);
});

test('a text of any length and shape is answered, and unknown words stand in quotes', () => {
  const say = createReasons();
  assert.equal(say('Segmentation fault', 'uk'), 'Повідомлено: «Segmentation fault»');
  assert.equal(say('Segmentation fault', 'en'), 'Segmentation fault');
  for (const text of ['camera : '.repeat(2_000), 'a; '.repeat(900), '{}{}{1}', '', ' ', '. . . '])
    assert.equal(typeof say(text, 'uk'), 'string');
});

/** An appliance with a reason in each place that has one. */
async function inTrouble(t: { after(over: () => unknown): void }): Promise<World> {
  const conditions = createConditions({ clock: { nowMs: () => NOW_MS }, log: createLog('silent') });
  conditions.raise('disk-reserve', 'the disk is too full to keep a reserve for making room');
  const clip = someClip(1, { state: 'parked', reason: 'storage has another content under its name' });
  const custody = new Map([[clipIdOf(1), [{ atMs: NOW_MS, event: 'expire', detail: 'the lease ran out' }]]]);
  const world: World = createWorld({
    ...withMachine(() => world),
    ledger: createLedgerView([clip], custody),
    conditions: () => conditions.list(),
  });
  world.cameras = [
    someCamera({ state: 'down', detail: 'camera gate, main stream: the camera has too many viewers' }),
  ];
  world.link = { state: 'offline', sinceMs: NOW_MS, detail: 'no route' };
  world.upload = { state: 'waiting', clipId: null, detail: 'hub.unreachable: no answer in 500 ms' };
  world.power = somePower({ state: 'low', detail: 'the battery is empty' });
  world.desired = { version: 2, refused: [{ path: '/a', reason: 'unknown property' }] };
  await world.dashboard.start();
  t.after(() => world.dashboard.stop());
  return world;
}

test('whoever asks in Ukrainian reads every reason in Ukrainian, and in English otherwise', async (t) => {
  const { dashboard } = await inTrouble(t);
  const reasonsIn = async (query: string) => {
    const status = (await ask(dashboard.url(), `/api/status${query}`)).json();
    const clip = (await ask(dashboard.url(), `/api/clips/${clipIdOf(1)}${query}`)).json();
    return [
      status.conditions[0].detail,
      status.cameras[0].detail,
      status.link.detail,
      status.upload.detail,
      status.power.detail,
      status.refused[0].reason,
      clip.reason,
      clip.custody[0].detail,
    ];
  };
  assert.deepEqual(await reasonsIn('?lang=uk'), [
    'диск надто повний, щоб тримати запас місця',
    'камера gate, потік основний: у камери забагато глядачів',
    'шляху до хмари немає',
    'hub.unreachable: немає відповіді за 500 мс',
    'батарея розряджена',
    'невідома властивість',
    'у сховищі під його назвою інший вміст',
    'час на відправлення вийшов',
  ]);
  for (const query of ['', '?lang=en'])
    for (const reason of await reasonsIn(query)) assert.match(reason, /^[\x20-\x7e]+$/);
  const refused = await ask(dashboard.url(), '/api/status?lang=xx');
  assert.deepEqual([refused.status, refused.json().title], [400, 'lang is one of en, uk.']);
});
