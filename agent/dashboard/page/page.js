import { createClipCard } from './clip-card.js';
import { arrange, element, say } from './elements.js';
import { createFormat } from './format.js';
import { showConditions, showHouse } from './house.js';
import { showMachine } from './machine.js';
import { createPoller } from './poller.js';
import { houseSentence } from './sentence.js';
import { fetchTexts, rememberLanguage } from './texts.js';
import { createWhy } from './why.js';

const PAGE_SIZE = 20;
const MOST_AT_ONCE = 100;
/** Ages on the page ("5 minutes ago") are drawn anew so often, also while nothing changes. */
const REDRAW_MS = 20_000;
/** What was heard so long ago is not the present: the page was hidden, or the phone slept. */
const STALE_MS = 30_000;

const at = (id) => document.getElementById(id);
const cards = new Map();
const days = new Map();
const why = createWhy(() => ({ texts, format }));

let texts;
let format;
let status;
let clips = [];
let wantedClips = PAGE_SIZE;
let drawnRevision = '';
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
  drawClips();
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
    showConditions(status, texts, format);
    showMachine(status, texts, format);
  } else say(at('sentence'), texts.t('page.asking'));
}

function drawClips() {
  const nodes = [];
  let lastDay = '';
  for (const clip of clips) {
    const day = format.day(clip.triggeredUtc, texts);
    if (day !== lastDay) nodes.push(dayHeading(day));
    lastDay = day;
    if (!cards.has(clip.clipId))
      cards.set(
        clip.clipId,
        createClipCard(() => ({ texts, format })),
      );
    const card = cards.get(clip.clipId);
    card.draw(clip);
    nodes.push(card.element);
  }
  arrange(at('clips'), nodes);
  const known = new Set(clips.map(({ clipId }) => clipId));
  for (const clipId of cards.keys()) if (!known.has(clipId)) cards.delete(clipId);
}

function dayHeading(day) {
  if (!days.has(day)) days.set(day, element('h3', { text: day }));
  return days.get(day);
}

/** Reads as many clips as are wanted, newest first, page by page. One reading at a time. */
async function readClips() {
  const found = [];
  let next = '';
  do {
    const limit = Math.min(MOST_AT_ONCE, wantedClips - found.length);
    const response = await fetch(`/api/clips?limit=${limit}${next && `&before=${next}`}`);
    if (!response.ok) throw new Error(`clips ${response.status}`);
    const page = await response.json();
    found.push(...page.clips);
    next = page.next;
  } while (next && found.length < wantedClips);
  clips = found;
  at('more').hidden = !next;
  at('no-clips').hidden = found.length > 0;
  drawClips();
}

/** Reads the clips when they changed since they were drawn, or when more of them are wanted. A failed reading is
 *  made again after the next status, because the revision stays undrawn. */
function refreshClips() {
  // The ledger does not answer: what is drawn is what was known last.
  if (!status.clips) return hearAgain();
  const wanted = `${status.clips.revision} ${wantedClips}`;
  if (reading) return;
  if (wanted === drawnRevision) return hearAgain();
  reading = readClips()
    .then(() => (drawnRevision = wanted), fallSilent)
    .finally(() => (reading = undefined))
    .then(() => drawnRevision === wanted && refreshClips());
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
  onAnswer: (skew, fresh) => {
    skewMs = skew;
    heardMs = nowMs();
    if (fresh) {
      status = fresh;
      draw();
    }
    refreshClips();
  },
  onSilence: fallSilent,
});

at('languages').addEventListener('click', ({ target }) => {
  if (!target.value) return;
  setLanguage(target.value).then(() => rememberLanguage(target.value), fallSilent);
});
document.addEventListener('visibilitychange', () => texts && draw());
at('more').addEventListener('click', () => {
  wantedClips += PAGE_SIZE;
  refreshClips();
});

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
