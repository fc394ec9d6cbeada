import { isolated } from './texts.js';

/** What is said in one sentence, on the page and by `scripts/run` alike. Needs no browser. */

/** States of the house in which the owner asks how long. */
const LASTS = ['on-battery', 'battery-low', 'battery-critical'];

/** The state of the house.
 *  @param {object} status answer of `/api/status`
 *  @param {object} house what of it: `status.house`, or one of `status.further` */
export function houseSentence(status, texts, format, house = status.house) {
  const { power, disk, refusedCount, cameras } = status;
  const { t } = texts;
  if (house.state === 'condition') return conditionSentence(house.condition, cameras, texts);
  const sentence = t(`house.${house.state}`, {
    n: house.state === 'settings-refused' ? refusedCount : (house.count ?? house.waiting),
    cameras: isolated(house.cameras, format.list),
    since: house.sinceUtc ? format.since(house.sinceUtc) : '',
    size: disk ? format.size(disk.diskFreeBytes) : '',
  });
  const left = LASTS.includes(house.state) ? power.minutesLeft : null;
  return left === null ? sentence : `${sentence} ${t('power.lasts', { n: left })}`;
}

/** A subject that is a camera has a name for people. */
export const conditionSentence = ({ code, subject }, cameras, { t }) =>
  t(`condition.${code}`, {
    subject: cameras.find(({ cameraId }) => cameraId === subject)?.title ?? subject ?? '',
  });
