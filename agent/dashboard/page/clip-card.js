import { ask } from './ask.js';
import { dotted, element, latePicture } from './elements.js';
import { isolated } from './texts.js';

/** A picture that does not come is asked for again so often, then the card goes without. */
const PICTURE_RETRIES_MS = [10_000, 30_000, 120_000];

/** Card of one clip. The player is made once and lives as long as the card; the words are drawn again when the
 *  clip or the language changes.
 *  @param {() => { texts: object, format: object }} language what to draw with, asked anew each time */
export function createClipCard(language) {
  const card = element('article', { class: 'clip', tabIndex: -1 });
  const player = createPlayer(language, card);
  const words = element('div', { class: 'words' });
  const history = createHistory(language);
  card.append(player.element, element('div', { class: 'story' }, words, player.note, history.element));
  let drawn = '';

  function draw(clip) {
    const { texts, format } = language();
    const now = JSON.stringify([texts.language, clip]);
    if (now === drawn) return;
    drawn = now;
    card.id = `clip-${clip.clipId}`;
    card.dataset.state = clip.state;
    player.draw(clip);
    words.replaceChildren(...wordsOf(clip, texts, format));
    history.draw(clip);
  }

  return { element: card, draw };
}

/** What stands on the badge, and its colour. That a clip is lost or stuck matters more than what was on it. */
export function badgeOf({ state, verdict }) {
  return verdict && state !== 'lost' && state !== 'parked'
    ? { key: `verdict.${verdict.verdict}`, look: verdict.verdict }
    : { key: `clip.${state}`, look: state };
}

const nameOf =
  ({ t, knows }) =>
  (label) =>
    knows(`label.${label}`) ? t(`label.${label}`) : label;

function wordsOf(clip, texts, format) {
  const { t } = texts;
  const { verdict } = clip;
  const badge = badgeOf(clip);
  const measures = [
    clip.durationMs !== null && format.length(clip.durationMs),
    clip.bytes !== null && format.size(clip.bytes),
  ].filter(Boolean);
  const kept = clip.state === 'parked' || clip.state === 'lost' || clip.state === 'sealed';
  return [
    element(
      'header',
      {},
      element('time', { dateTime: clip.triggeredUtc, text: format.time(clip.triggeredUtc) }),
      element('bdi', { class: 'camera name', text: clip.cameraTitle, title: clip.cameraTitle }),
      element('span', { class: `badge ${badge.look}`, text: t(badge.key) }),
    ),
    verdict?.labels.length > 0 &&
      element('p', {
        class: 'seen name',
        text: t('clip.seen', {
          labels: isolated(verdict.labels.map(nameOf(texts)), (labels) => labels.join(', ')),
          confidence: format.percent(verdict.confidence),
        }),
      }),
    measures.length > 0 && element('p', { class: 'muted', text: measures.join(' · ') }),
    kept && clip.reason && element('p', { class: 'note', text: t('clip.why', { reason: clip.reason }) }),
    clip.clockQuality === 'unsynchronised' && element('p', { class: 'note', text: t('clip.uncertainTime') }),
  ].filter(Boolean);
}

/** The card's classes tell its look: `pictured` with a picture, `playing`, `gone` without a file. */
function createPlayer(language, card) {
  const frame = element('div', { class: 'player' });
  const button = element('button', { type: 'button', class: 'play' });
  const note = element('p', { class: 'note', hidden: true });
  let video;
  let picture;
  let shown = {};

  function draw(clip) {
    const { texts, format } = language();
    const names = { time: format.time(clip.triggeredUtc), camera: clip.cameraTitle };
    card.classList.toggle('gone', !clip.video);
    button.hidden = !clip.video;
    button.setAttribute('aria-label', texts.t('clip.play', names));
    if (clip.video && shown.video !== clip.video) {
      video?.remove();
      // Nothing is loaded before somebody plays it.
      video = element('video', { controls: true, playsInline: true, preload: 'none', src: clip.video });
      video.addEventListener('ended', () => card.classList.remove('playing'));
      video.addEventListener('play', () => pauseOthers(video));
      video.addEventListener('error', () => void explain(clip.video));
      frame.prepend(video);
    }
    // The small one; of a clip that has none the best frame stands here, and the other way round in its details.
    const address = clip.thumbnail ?? clip.bestFrame;
    if (address !== shown.picture) {
      picture?.remove();
      picture = address ? createPicture(address, card) : undefined;
      card.classList.toggle('pictured', picture !== undefined);
      if (picture) button.before(picture);
    }
    if (picture) picture.alt = texts.t(clip.thumbnail ? 'clip.picture' : 'clip.bestFrame', names);
    shown = { video: clip.video, picture: address };
  }

  function play() {
    card.classList.add('playing');
    note.hidden = true;
    if (picture?.isConnected && !picture.hidden) video.poster = shown.picture;
    video.focus();
    // A clip that cannot be played also fires `error` on the element, which explains it.
    video.play().catch(() => card.classList.remove('playing'));
  }

  async function explain(address) {
    const { t } = language().texts;
    card.classList.remove('playing');
    const status = await ask(address, { method: 'HEAD' }).then(
      (response) => response.status,
      () => 0,
    );
    const why = (await isH265(address)) ? 'clip.unplayableH265' : 'clip.unplayable';
    note.textContent = t(status === 410 ? 'clip.gone' : why);
    note.hidden = false;
  }

  button.addEventListener('click', play);
  frame.append(button);
  return { element: frame, note, draw };
}

/** A clip says at its beginning how it is coded. */
async function isH265(address) {
  const beginning = ask(address, { headers: { Range: 'bytes=0-63' } }).then((response) =>
    response.status === 206 ? response.text() : '',
  );
  return (await beginning.catch(() => '')).includes('hvc1');
}

/** A bad link carries one clip, not two. */
function pauseOthers(playing) {
  for (const video of document.querySelectorAll('video')) if (video !== playing) video.pause();
}

function createPicture(address, card) {
  const picture = latePicture(address);
  let attempt = 0;
  const show = (visible) => {
    picture.hidden = !visible;
    card.classList.toggle('pictured', visible);
  };
  picture.addEventListener('load', () => show(true));
  picture.addEventListener('error', () => {
    show(false);
    const pause = PICTURE_RETRIES_MS[attempt];
    attempt += 1;
    if (pause !== undefined)
      setTimeout(() => {
        picture.src = address;
      }, pause);
  });
  return picture;
}

/** "sealed 12:01:05 · uploaded 12:01:20 · judged 12:01:31", and the whole story when opened. */
function createHistory(language) {
  const summary = element('summary');
  const list = element('ol', { class: 'custody' });
  const links = element('p', { class: 'links' });
  const frame = element('div', { class: 'frame' });
  const inFull = element('p', { class: 'full muted', dir: 'auto' });
  const details = element('details', {}, summary, inFull, list, frame, links);
  let shown;

  function draw(clip) {
    const { texts, format } = language();
    const { t } = texts;
    shown = clip;
    const steps = [
      ['custody.seal', clip.sealedUtc],
      ['custody.upload', clip.uploadedUtc],
      ['custody.judge', clip.judgedUtc],
    ].flatMap(([key, utc]) => (utc ? [`${t(key)} ${format.time(utc)}`] : []));
    // Names are cut on the card; here they are whole.
    inFull.textContent = [clip.cameraTitle, ...(clip.verdict?.labels ?? []).map(nameOf(texts))].join(' · ');
    if (steps.length === 0) steps.push(t('custody.history'));
    summary.replaceChildren(...dotted(steps));
    links.replaceChildren(
      ...[
        clip.preRollMs > 0 &&
          element('span', {
            class: 'muted',
            text: t('clip.preRoll', { seconds: Math.round(clip.preRollMs / 1000) }),
          }),
        clip.video &&
          element('a', {
            href: clip.video,
            download: `${clip.cameraId}-${clip.clipId}.mp4`,
            text: t('clip.download'),
          }),
      ].filter(Boolean),
    );
    if (details.open) void load();
  }

  async function load() {
    const { clipId, bestFrame, thumbnail } = shown;
    const { texts, format } = language();
    showFrame(thumbnail && bestFrame, texts, format);
    try {
      const response = await ask(`/api/clips/${clipId}?lang=${texts.language}`);
      if (!response.ok) throw new Error(`clip ${response.status}`);
      const { custody, verdict } = await response.json();
      list.replaceChildren(...custody.map((entry) => historyLine(entry, texts, format)));
      if (verdict?.reason) list.append(element('li', { class: 'muted', text: verdict.reason }));
    } catch {
      list.replaceChildren(element('li', { class: 'note', text: texts.t('clip.noHistory') }));
    }
  }

  /** The large picture is loaded when somebody opens the story. */
  function showFrame(address, { t }, format) {
    if (!address) return frame.replaceChildren();
    const names = { time: format.time(shown.triggeredUtc), camera: shown.cameraTitle };
    const picture = frame.firstChild ?? element('img');
    picture.alt = t('clip.bestFrame', names);
    if (picture.getAttribute('src') !== address) picture.src = address;
    if (!frame.firstChild) frame.append(picture);
  }

  details.addEventListener('toggle', () => {
    if (details.open) void load();
  });
  return { element: details, draw };
}

function historyLine({ atUtc, event, detail }, { t, knows }, format) {
  const name = knows(`custody.${event}`) ? t(`custody.${event}`) : event;
  return element(
    'li',
    {},
    element('time', { dateTime: atUtc, text: format.time(atUtc) }),
    element('span', { text: ` ${name}` }),
    detail && element('span', { class: 'muted', text: ` ${detail}` }),
  );
}
