import { arrange, element, row, say } from './elements.js';
import { conditionSentence, houseSentence } from './sentence.js';

const at = (id) => document.getElementById(id);

/** Which list of ignored movements somebody has opened: it stays open when the row is drawn again. */
const opened = new Set();

/** Draws the state of the house in a sentence, its cameras and its link to the cloud.
 *  @param {object} status answer of `/api/status` */
export function showHouse(status, texts, format) {
  const { house } = status;
  const sentence = houseSentence(status, texts, format);
  say(at('sentence'), sentence);
  at('house').dataset.level = house.level;
  document.title = `${sentence} · Dachawatch`;
  const further = status.further.map((one) => houseSentence(status, texts, format, one));
  arrange(
    at('further'),
    further.map((text) => element('li', { text })),
  );
  say(at('facts'), clipFacts(status, texts, format).join(' '));
  say(at('device'), status.deviceId);
  arrange(
    at('cameras'),
    status.cameras.map((camera) => cameraRow(camera, texts, format)),
  );
  arrange(at('appliance'), [linkRow(status.link, texts, format), uploadRow(status.upload, texts)]);
}

/** Nothing while the ledger does not answer: the sentence above says so. */
function clipFacts({ house, further, clips }, { t }, format) {
  if (!clips) return [];
  const facts = [t('house.facts', { n: clips.total, size: format.size(clips.bytes) })];
  const saidAbove = [house, ...further].some(({ state }) => state === 'waiting' || state === 'sending');
  if (clips.waiting > 0 && !saidAbove) facts.push(t('house.waiting', { n: clips.waiting }));
  if (clips.awaitingVerdict > 0) facts.push(t('house.unjudged', { n: clips.awaitingVerdict }));
  return facts;
}

/** Everything that is wrong with the appliance now, the worst first.
 *  @param {object} status answer of `/api/status` */
export function showConditions({ conditions, cameras }, texts, format) {
  at('conditions-part').hidden = conditions.length === 0;
  arrange(
    at('conditions'),
    conditions.map((condition) =>
      row({
        level: condition.level,
        title: conditionSentence(condition, cameras, texts),
        state: [texts.t('condition.since', { since: format.since(condition.sinceUtc) })],
        detail: condition.detail,
      }),
    ),
  );
}

/** Every other state is trouble. */
const CAMERA_LEVEL = { live: 'calm', starting: 'notice' };
const LINK_LEVEL = { online: 'calm', connecting: 'notice', offline: 'notice', refused: 'trouble' };

function cameraRow(camera, texts, format) {
  const { t } = texts;
  const age = camera.lastPictureUtc ? format.ago(camera.lastPictureUtc) : '';
  const state = t(`camera.${camera.state}`, { since: format.since(camera.sinceUtc) });
  return row({
    level: CAMERA_LEVEL[camera.state] ?? 'trouble',
    title: camera.title,
    state: [state, t(`camera.picture.${camera.picture}`, { age })],
    extra: [
      camera.recording && element('span', { class: 'badge recording', text: t('camera.recording') }),
      suppressedList(camera, texts),
    ],
    detail: camera.detail,
  });
}

function suppressedList({ cameraId, suppressed }, { t, knows }) {
  const reasons = Object.entries(suppressed).filter(([, count]) => count > 0);
  if (reasons.length === 0) return null;
  const n = reasons.reduce((sum, [, count]) => sum + count, 0);
  const name = (reason) => (knows(`suppressed.${reason}`) ? t(`suppressed.${reason}`) : reason);
  const list = element(
    'details',
    { open: opened.has(cameraId) },
    element('summary', { text: t('camera.suppressed', { n }) }),
    element(
      'ul',
      {},
      ...reasons.map(([reason, count]) => element('li', { text: `${count} × ${name(reason)}` })),
    ),
  );
  list.addEventListener('toggle', () => (list.open ? opened.add(cameraId) : opened.delete(cameraId)));
  return list;
}

function linkRow({ state, sinceUtc, detail }, { t }, format) {
  return row({
    level: LINK_LEVEL[state],
    title: t('link.title'),
    state: [t(`link.${state}`, { since: format.since(sinceUtc) })],
    detail: state === 'online' ? null : detail,
  });
}

function uploadRow({ state, detail }, { t }) {
  return row({
    level: state === 'waiting' ? 'notice' : 'calm',
    title: t('upload.title'),
    state: [t(`upload.${state}`)],
    detail: state === 'waiting' ? detail : null,
  });
}
