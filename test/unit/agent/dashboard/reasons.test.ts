import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { relative } from 'node:path';
import { createReasons, createTranslator } from '../../../../agent/dashboard/reasons.ts';
import { CameraConfig, RecordingConfig } from '@dachawatch/contracts';
import { createConditions } from '../../../../agent/kernel/conditions.ts';
import { CLIP_MOVES } from '../../../../agent/ledger/clips/clip-states.ts';
import { expectation } from '../../../../agent/settings/desired-value.ts';
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
import { notedIn, sentencesIn } from './sentences.ts';

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
  'cloud-fn/yolo/analysis',
  'cloud-fn/yolo/storage',
  'cloud-fn/yolo/queue/request-loop.ts',
  'contracts/parse-document.ts',
  'contracts/parse.ts',
  'contracts/messages/camera-address.ts',
  'agent/motion/sight',
  'agent/motion/zones',
  'agent/dashboard/dashboard.ts',
  'agent/dashboard/access/opening.ts',
  'agent/dashboard/access/password.ts',
  'agent/dashboard/access/certificate.ts',
  'agent/clip-store.ts',
  'agent/power-off.ts',
];

/** Latin words that stay as they are in Ukrainian: names, properties, commands and what devices call their settings. */
const NAMES = new Set(
  (
    'RTSP RTSPS GPIO JSON SHA GStreamer TLS SQLite MP4 MD5 Digest HTTP ASCII UTF SIGKILL IPv4 IPv6 fd00 C3 A9 twin moof ffmpeg Node frame ' +
    'i2c udev firmware-config configuration i2c-bus ups.configuration power.ups.model power.thresholds lowVolts criticalVolts ' +
    'power.thresholds.blindForMs power.gpio.mainsPresent recording cameras appliance.json main sub interval GOP length ' +
    'scripts hub desired DEVICE unset null credential true false decision confidence ' +
    'dashboard.host dashboard.port systemd page-password x509 SharedAccessKey'
  ).split(' '),
);
/** English that a reader of Ukrainian would find there: what is no name, and in no quotes of somebody else's words. */
const englishIn = (text: string) =>
  (text.replaceAll(/[a-z]+:\/\//g, '').match(/[a-z][a-z0-9.-]*[a-z0-9]/gi) ?? []).filter(
    (word) =>
      !NAMES.has(word) && !NAMES.has(word.toLowerCase()) && !/^[A-Z0-9.-]+$/.test(word) && word !== 'I-frame',
  );
/** A sentence as it may be said, with a number in each gap. */
const saidWith = (text: string, value: string) => text.replaceAll('{}', value);

test('every sentence of the rooms is told in Ukrainian from its first word to its last, or no page shows it', () => {
  const say = createTranslator(CATALOGUE);
  const said = MAKERS.flatMap((path) => sentencesIn(`${ROOT}${path}`));
  assert.ok(said.length > 400, `only ${said.length} sentences were found`);
  const untold = said
    .filter(({ text }) => !NOT_SHOWN.has(text))
    .map(({ file, text }) => ({ file, text, told: say(saidWith(text, '7')) }))
    .filter(({ told }) => told === undefined || englishIn(told).length > 0)
    .map(({ file, text, told }) => `${relative(ROOT, file)}: ${text} → ${told ?? 'nothing'}`);
  assert.deepEqual(
    untold,
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

/** A schema, and what it is made of. */
function* shapesIn(schema: Shape): Generator<Shape> {
  yield schema;
  const { properties = {}, items = [] } = schema;
  for (const part of [...Object.values(properties), items].flat()) yield* shapesIn(part);
}
type Shape = Parameters<typeof expectation>[0];

test('what a setting must be is told in Ukrainian, whatever the setting', () => {
  const say = createTranslator(CATALOGUE);
  const shapes = [CameraConfig, RecordingConfig].flatMap((config) => [...shapesIn(config as Shape)]);
  assert.ok(shapes.length > 40, `only ${shapes.length} settings were found`);
  for (const shape of shapes) {
    // Names of properties and the values of a choice are written as they are.
    const written = new Set([...(shape.enum ?? []), ...(shape.required ?? [])]);
    const told = say(`must be ${expectation(shape)}`) ?? '';
    assert.deepEqual(
      englishIn(told).filter((word) => !written.has(word)),
      [],
      told,
    );
  }
});

test('whatever stands in the story of a clip has a name on the page, in both languages', () => {
  const events = new Set<string>(Object.values(CLIP_MOVES).flatMap((moves) => Object.keys(moves)));
  for (const { text } of notedIn(`${ROOT}agent/ledger`)) events.add(text);
  assert.ok(events.has('open') && events.has('retry') && events.has('recover-failed'), [...events].join());
  for (const language of ['en', 'uk']) {
    const texts = JSON.parse(
      readFileSync(`${ROOT}agent/dashboard/page/texts.${language}.json`, 'utf8'),
    ) as Record<string, string>;
    assert.deepEqual(
      [...events].filter((event) => !texts[`custody.${event}`]),
      [],
      language,
    );
  }
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

test('what is not known of a sentence stands in quotes, wherever it stands', () => {
  const say = createTranslator({
    'it failed: {}': 'не вдалося: {1}',
    'it said "{}"': 'сказано «{1}»',
    'the disk is full': 'диск повний',
    'one of {}': 'одне з <1>',
    bus: 'автобус',
  });
  assert.equal(say('it failed: no such thing'), 'не вдалося: «no such thing»');
  assert.equal(say('it said "no such thing"'), 'сказано «no such thing»');
  assert.equal(say('the disk is full; buy a new one'), 'диск повний; «buy a new one»');
  assert.equal(say('Look here. the disk is full'), '«Look here». диск повний');
  assert.equal(say('hub.unreachable: the disk is full'), 'hub.unreachable: диск повний');
  assert.equal(say('it failed: /media/clips'), 'не вдалося: /media/clips');
  assert.equal(say('it failed: 6100000 bytes'), 'не вдалося: 6100000 байтів');
  assert.equal(say('one of bus, the disk is full'), 'одне з bus, the disk is full');
  assert.equal(say('bus error'), undefined);
});

test('what the system and a schema say is told in Ukrainian, with the path as it is', () => {
  const say = createReasons();
  assert.equal(say("EACCES: permission denied, open '/var/lib/x y'", 'uk'), 'немає дозволу (/var/lib/x y)');
  assert.equal(
    say('dachawatch/verdict/1: /labels/0 must be string', 'uk'),
    'dachawatch/verdict/1: /labels/0 тут має бути текст',
  );
  assert.equal(
    say('The clip could not be analysed: no video in the clip: moov atom not found', 'uk'),
    'Запис не вдалося оцінити: у записі немає відео: «moov atom not found»',
  );
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
    someCamera({ state: 'refused', detail: 'camera gate, main stream: the camera has too many viewers' }),
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
