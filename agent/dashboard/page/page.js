import { ask } from './ask.js';
import { createClipList } from './clip-list.js';
import { say } from './elements.js';
import { createFormat } from './format.js';
import { showConditions, showHouse } from './house.js';
import { showMachine } from './machine.js';
import { showNight } from './night.js';
import { createPoller } from './poller.js';
import { houseSentence } from './sentence.js';
import { fetchTexts, rememberLanguage } from './texts.js';
import { createWhy } from './why.js';

/** Ages on the page ("5 minutes ago") are drawn anew so often, also while nothing changes. */
const REDRAW_MS = 20_000;
/** What was heard so long ago is not the present: the page was hidden, or the phone slept. */
const STALE_MS = 30_000;

const at = (id) => document.getElementById(id);
const list = createClipList(() => ({ texts, format }));
const why = createWhy(() => ({ texts, format }));

let texts;
let format;
let status;
let night;
/** For which revision and hour the night was read. */
let nightFor = '';
let reading;
let skewMs = 0;
/** When the appliance answered last, by its own clock; when the page was opened, before the first answer. */
let heardMs = Date.now();
let isSilent = false;

const nowMs = () => Date.now() + skewMs;

async function setLanguage(language) {
  texts = await fetchTexts(language);
  format = createFormat(language, nowMs);
  document.documentElement.lang = language;
  for (const target of document.querySelectorAll('[data-text]'))
    target.textContent = texts.t(target.dataset.text);
  for (const target of document.querySelectorAll('[data-label]'))
    target.setAttribute('aria-label', texts.t(target.dataset.label));
  for (const button of at('languages').children)
    button.setAttribute('aria-pressed', String(button.value === language));
  say(at('zone'), texts.t('page.zone', { zone: format.zone() }));
  draw();
  why.draw();
}

function draw() {
  if (isSilent || nowMs() - heardMs > STALE_MS) drawLost();
  else drawPresent();
  list.draw();
}

/** Nothing of what was known may pass for what is. */
function drawLost() {
  const sentence = texts.t('page.noContact', { since: format.since(new Date(heardMs).toISOString()) });
  document.body.dataset.contact = 'lost';
  document.title = `${sentence} · Dachawatch`;
  at('house').dataset.level = 'trouble';
  say(at('sentence'), sentence);
  say(at('facts'), status ? texts.t('page.then', { sentence: houseSentence(status, texts, format) }) : '');
}

function drawPresent() {
  delete document.body.dataset.contact;
  if (status) {
    showHouse(status, texts, format);
    showNight(night, texts, format, (clipId) => read(() => list.show(clipId)));
    showConditions(status, texts, format);
    showMachine(status, texts, format);
  } else say(at('sentence'), texts.t('page.asking'));
}

/** One reading of clips after another. What fails is tried again after the next status. */
function read(work) {
  const mine = (reading ?? Promise.resolve())
    .then(work)
    .then(hearAgain, fallSilent)
    .finally(() => {
      if (reading === mine) reading = undefined;
    });
  reading = mine;
}

/** Reads what has changed since it was drawn. */
async function refresh() {
  const { revision } = status.clips;
  await list.refresh(revision);
  // By another hour a night has ended, or begun.
  const wanted = `${revision} ${new Date(nowMs()).getHours()}`;
  if (wanted === nightFor) return;
  const response = await ask('/api/last-night');
  if (!response.ok) throw new Error(`last night ${response.status}`);
  night = await response.json();
  nightFor = wanted;
  draw();
}

function fallSilent() {
  isSilent = true;
  draw();
}

function hearAgain() {
  if (!isSilent) return;
  isSilent = false;
  draw();
}

const poller = createPoller({
  language: () => texts.language,
  onAnswer: (skew, fresh) => {
    skewMs = skew;
    heardMs = nowMs();
    if (fresh) {
      status = fresh;
      draw();
    }
    // While the ledger does not answer, what is drawn is what was known last.
    if (!status.clips) hearAgain();
    else if (!reading) read(refresh);
  },
  onSilence: fallSilent,
});

at('languages').addEventListener('click', ({ target }) => {
  if (!target.value) return;
  setLanguage(target.value)
    .then(() => rememberLanguage(target.value))
    .then(poller.poll)
    .catch(fallSilent);
});
document.addEventListener('visibilitychange', () => texts && draw());
at('more').addEventListener('click', () => read(list.readOlder));

/** The words come first: without them nothing can be said, so they are asked for until they come. */
async function start(pauseMs) {
  try {
    await setLanguage(document.documentElement.lang);
  } catch {
    setTimeout(start, pauseMs, Math.min(60_000, pauseMs * 2));
    return;
  }
  setInterval(draw, REDRAW_MS);
  await poller.poll();
}
await start(2_000);
