import { arrange, element, latePicture, say } from './elements.js';

let drawn = '';

const at = (id) => document.getElementById(id);

/** What happened last night: how many clips, by camera and verdict, and the persons.
 *  @param {object | undefined} night answer of `/api/last-night`
 *  @param {(clipId: string) => void} onClip somebody wants to see that clip */
export function showNight(night, texts, format, onClip) {
  at('night-part').hidden = !night;
  const now = JSON.stringify([texts.language, night]);
  if (!night || now === drawn) return;
  drawn = now;
  const { t } = texts;
  const { fromUtc, toUtc, isNow, isCut, clips, outcomes, cameras, persons } = night;
  say(at('night-title'), t(isNow ? 'night.now' : 'night.last'));
  const hours = { from: format.hour(fromUtc), to: format.hour(toUtc) };
  say(at('night-hours'), t(isNow ? 'night.since' : 'night.hours', hours));
  say(at('night-sum'), t(clips === 0 ? 'night.none' : isCut ? 'night.atLeast' : 'night.clips', { n: clips }));
  at('night').dataset.quiet = String(!outcomes.person);
  arrange(
    at('night-persons'),
    persons.map((person) => personCard(person, texts, format, onClip)),
  );
  arrange(
    at('night-cameras'),
    cameras.map((camera) =>
      element(
        'li',
        {},
        element('bdi', { class: 'name', text: camera.title, title: camera.title }),
        ...Object.entries(camera.outcomes).map(([outcome, n]) => outcomeBadge(outcome, n, t)),
      ),
    ),
  );
}

const OWN_WORDS = { unjudged: 'clip.uploaded', parked: 'clip.parked', lost: 'clip.lost' };

const outcomeBadge = (outcome, n, t) =>
  element('span', {
    class: `badge ${outcome}`,
    text: `${n} × ${t(OWN_WORDS[outcome] ?? `verdict.${outcome}`)}`,
  });

function personCard({ clipId, cameraTitle, triggeredUtc, thumbnail, bestFrame }, { t }, format, onClip) {
  const time = format.hour(triggeredUtc);
  const picture = latePicture(thumbnail ?? bestFrame, {
    alt: t('clip.bestFrame', { time, camera: cameraTitle }),
    width: 160,
    height: 90,
  });
  picture.addEventListener('error', () => picture.remove());
  const button = element(
    'button',
    { type: 'button' },
    (thumbnail ?? bestFrame) && picture,
    element(
      'span',
      { class: 'caption' },
      element('time', { dateTime: triggeredUtc, text: time }),
      element('bdi', { class: 'name', text: cameraTitle }),
    ),
  );
  button.addEventListener('click', () => onClip(clipId));
  return element('li', {}, button);
}
