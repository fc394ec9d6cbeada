import { ask } from './ask.js';
import { element, latePicture, say } from './elements.js';

const LIMIT = 12;

/** The section "why did it not record?": asked for when somebody opens it.
 *  @param {() => { texts: object, format: object }} language what to draw with, asked anew each time */
export function createWhy(language) {
  const at = (id) => document.getElementById(id);
  const details = at('why');
  let answer;
  let failed = false;

  function draw() {
    const { texts, format } = language();
    const { t } = texts;
    const found = answer?.suppressed ?? [];
    say(at('why-note'), failed ? t('why.failed') : answer && found.length === 0 ? t('why.none') : '');
    at('why-list').replaceChildren(...found.map((one) => noteOf(one, texts, format)));
  }

  async function load() {
    try {
      const response = await ask(`/api/suppressed?limit=${LIMIT}`);
      if (!response.ok) throw new Error(`suppressed ${response.status}`);
      answer = await response.json();
      failed = false;
    } catch {
      failed = true;
    }
    draw();
  }

  details.addEventListener('toggle', () => details.open && void load());
  return { draw: () => details.open && draw() };
}

function noteOf(one, { t, knows, language }, format) {
  const { largest } = one;
  const key = `suppressed.${one.reason}`;
  const seconds = (ms) => new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(ms / 1000);
  const numbers = largest && [
    t('why.size', { percent: format.percent(largest.share) }),
    t('why.way', { percent: format.percent(largest.travel) }),
    t('why.seen', { seconds: seconds(largest.seenMs) }),
    ...largest.stays.map(({ zone, ms }) => t('why.stay', { zone, seconds: seconds(ms) })),
  ];
  return element(
    'li',
    {},
    one.picture && latePicture(one.picture, { alt: t('why.picture') }),
    element(
      'p',
      {},
      element('time', { dateTime: one.atUtc, text: format.since(one.atUtc) }),
      ' ',
      element('bdi', { text: one.cameraTitle }),
      ': ',
      element('strong', { text: knows(key) ? t(key) : one.reason }),
    ),
    numbers && element('p', { class: 'muted', text: numbers.join(' · ') }),
  );
}
