import { createClipCard } from './clip-card.js';
import { arrange, element } from './elements.js';

/** Clips that are drawn and put away together. */
const BLOCK = 20;
/** How far from the screen blocks are drawn already. */
const MARGIN = '1500px';

/** Draws any number of clips, but only what is near the screen: the list is made of blocks, and one that is far away is
 *  an empty box of the height it had.
 *  @param {HTMLElement} parent
 *  @param {() => { texts: object, format: object }} language what to draw with, asked anew each time */
export function createClipBlocks(parent, language) {
  /** @type {ReturnType<typeof createBlock>[]} */
  let blocks = [];
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries)
        blocks.find(({ box }) => box === target)?.show(isIntersecting);
    },
    { rootMargin: MARGIN },
  );

  function draw(clips) {
    const ids = clips.map(({ clipId }) => clipId);
    const wanted = blocksOf(ids, blocks, (some) => createBlock(language, some));
    for (const block of blocks)
      if (!wanted.includes(block)) {
        near.unobserve(block.box);
        block.box.remove();
      }
    let before = null;
    const byId = new Map(clips.map((clip) => [clip.clipId, clip]));
    let previous;
    for (const block of wanted) {
      const held = block.ids.map((id) => byId.get(id));
      block.draw(held, previous);
      previous = held.at(-1);
      const place = before ? before.nextSibling : parent.firstChild;
      if (block.box !== place) parent.insertBefore(block.box, place);
      if (!blocks.includes(block)) near.observe(block.box);
      before = block.box;
    }
    blocks = wanted;
  }

  /** Draws the block of a clip, wherever it is. @returns whether there is one */
  function show(clipId) {
    const block = blocks.find(({ ids }) => ids.includes(clipId));
    block?.show(true);
    return block !== undefined;
  }

  return { draw, show };
}

/** Clips in blocks that keep what they held: new ones come to the first, older ones to the last. */
function blocksOf(ids, old, create) {
  const place = new Map(ids.map((id, index) => [id, index]));
  const kept = old
    .map((block) => ({ block, ids: block.ids.filter((id) => place.has(id)) }))
    .filter((one) => one.ids.length > 0);
  const ends = kept.map((one) => place.get(one.ids.at(-1)) + 1);
  const found = [];
  let from = 0;
  // Those that came before the first block get blocks of their own once they are many.
  for (; kept.length > 0 && ends[0] - from > 2 * BLOCK; from += BLOCK)
    found.push(create(ids.slice(from, from + BLOCK)));
  kept.forEach(({ block }, index) => {
    const to = ends[index];
    block.ids = ids.slice(from, to);
    found.push(block);
    from = to;
  });
  for (; from < ids.length; from += BLOCK) found.push(create(ids.slice(from, from + BLOCK)));
  return found;
}

/** Some clips of the list under the names of their days.
 *  @param {string[]} ids */
function createBlock(language, ids) {
  const box = element('div', { class: 'block' });
  const cards = new Map();
  let held = [];
  let previous;
  let isShown = true;

  function fill() {
    const { texts, format } = language();
    const nodes = [];
    let lastDay = previous && format.day(previous.triggeredUtc, texts);
    for (const clip of held) {
      const day = format.day(clip.triggeredUtc, texts);
      if (day !== lastDay) nodes.push(element('h3', { text: day }));
      lastDay = day;
      if (!cards.has(clip.clipId)) cards.set(clip.clipId, createClipCard(language));
      cards.get(clip.clipId).draw(clip);
      nodes.push(cards.get(clip.clipId).element);
    }
    arrange(box, nodes);
    const known = new Set(held.map(({ clipId }) => clipId));
    for (const clipId of cards.keys()) if (!known.has(clipId)) cards.delete(clipId);
  }

  return {
    box,
    ids,
    draw(clips, before) {
      held = clips;
      previous = before;
      if (isShown) fill();
    },
    show(isNear) {
      // What plays, and what somebody reads by keyboard, stays.
      if (isNear === isShown || (!isNear && box.querySelector('.playing, :focus-within, [open]'))) return;
      isShown = isNear;
      if (isNear) {
        fill();
        box.style.height = '';
        return;
      }
      box.style.height = `${box.offsetHeight}px`;
      box.replaceChildren();
      cards.clear();
    },
  };
}
