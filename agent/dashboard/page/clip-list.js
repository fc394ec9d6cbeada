import { ask } from './ask.js';
import { createClipBlocks } from './clip-blocks.js';

/** The first page; each "older" reads more than the one before, up to what the appliance gives at once. */
const PAGE_SIZE = { first: 20, most: 100 };
/** Pages that are read in search of one clip: a night of them. */
const MOST_PAGES = 20;

const at = (id) => document.getElementById(id);

/** The clips, newest first. Only what is new or has changed is read.
 *  @param {() => { texts: object, format: object }} language what to draw with, asked anew each time */
export function createClipList(language) {
  /** All that is known, newest first. */
  let clips = [];
  /** Id after which the next page begins; null when there is none, undefined before the first page. */
  let next;
  let revision;
  let told;
  let size = PAGE_SIZE.first;
  const blocks = createClipBlocks(at('clips'), language);

  async function read(path) {
    const { texts } = language();
    const response = await ask(`/api/clips${path}&lang=${texts.language}`);
    if (!response.ok) throw new Error(`clips ${response.status}`);
    return response.json();
  }

  async function readFirst() {
    const page = await read(`?limit=${PAGE_SIZE.first}`);
    size = PAGE_SIZE.first;
    take(page.clips, page);
    revision = page.revision;
    told = language().texts.language;
  }

  /** Reads what has changed since; all anew when that is more than one answer holds. */
  async function refresh(latest) {
    // Reasons are told in one language.
    if (revision === undefined || told !== language().texts.language) return readFirst();
    if (latest === revision) return;
    const news = await read(`/changes?after=${revision}`);
    if (!news.isWhole) return readFirst();
    const known = new Map(clips.map((clip) => [clip.clipId, clip]));
    // One that is older than what is shown comes with its page.
    const oldest = next ? clips.at(-1).clipId : '';
    for (const clip of news.clips) if (clip.clipId >= oldest) known.set(clip.clipId, clip);
    take(
      [...known.values()].sort((a, b) => (a.clipId < b.clipId ? 1 : -1)),
      { next },
    );
    revision = news.revision;
  }

  async function readOlder() {
    if (!next) return;
    const limit = Math.min(PAGE_SIZE.most, size * 2);
    const page = await read(`?limit=${limit}&before=${next}`);
    size = limit;
    const known = new Set(clips.map(({ clipId }) => clipId));
    take([...clips, ...page.clips.filter(({ clipId }) => !known.has(clipId))], page);
  }

  function take(all, page) {
    clips = all;
    next = page.next;
    at('more').hidden = !next;
    at('no-clips').hidden = clips.length > 0;
    draw();
  }

  const draw = () => blocks.draw(clips);

  const isFurther = (clipId) => Boolean(next) && clips.at(-1)?.clipId > clipId;

  /** Brings a clip to the screen, and reads older ones until it is there. */
  async function show(clipId) {
    for (let pages = 0; pages < MOST_PAGES && isFurther(clipId); pages += 1) await readOlder();
    if (!blocks.show(clipId)) return;
    const card = at(`clip-${clipId}`);
    card.scrollIntoView({ block: 'start' });
    card.focus({ preventScroll: true });
  }

  return { refresh, readOlder, draw, show };
}
