/** An element. Text only ever goes in as text: nothing that a camera, the cloud or a file said becomes markup.
 *  @param {string} tag
 *  @param {Record<string, unknown>} properties `class`, `text`, DOM properties, or attributes with a dash
 *  @param {(Node | null | undefined | false)[]} children */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'class') made.className = value;
    else if (name === 'text') made.textContent = value;
    else if (name.includes('-')) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter(Boolean));
  return made;
}

/** Puts these nodes into a parent in this order. A node that stands in its place is not touched, so that a clip
 *  plays on while others come and go. */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const node of nodes) {
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
}

/** Pictures load when they are almost on the screen; `loading=lazy` would load those of the next three screens too. */
const nearScreen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      nearScreen.unobserve(target);
      target.src = target.dataset.src;
    }
  },
  { rootMargin: '100px' },
);

/** A picture that is loaded when somebody is about to see it. */
export function latePicture(address, properties = {}) {
  const picture = element('img', { decoding: 'async', 'data-src': address, ...properties });
  nearScreen.observe(picture);
  return picture;
}

/** Sets a text only when it differs, so that a screen reader does not repeat it. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** `one · two · three`: a line may break between them, not within. The dot belongs to what stands before it. */
export const dotted = (texts) =>
  texts.flatMap((text, i) => [element('span', { text: i < texts.length - 1 ? `${text} ·` : text }), ' ']);

/** A row of a list: a dot in the colour of its level, a title, a line of states, whatever else belongs to it, and
 *  what is wrong.
 *  @param {{ level: string, title: string, state: string[], extra?: (Node | null | false)[], detail?: string | null }} parts */
export function row({ level, title, state, extra = [], detail }) {
  return element(
    'li',
    { 'data-level': level },
    element('span', { class: 'dot', 'aria-hidden': 'true' }),
    element('bdi', { class: 'title', text: title }),
    element('span', { class: 'muted' }, ...dotted(state)),
    ...extra,
    detail && element('p', { class: 'detail', dir: 'auto', text: detail }),
  );
}
