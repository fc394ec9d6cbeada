/** `PATH=VALUE` arguments of `scripts/hub desired` as a patch of the twin: null deletes. */
import { Failure } from '../../../agent/kernel/failure.ts';

export type Patch = Record<string, unknown>;

const usage = (message: string) => new Failure('rejected', 'hub.usage', message);

/** @param wishes `PATH=VALUE`; without a value it deletes
 *  @param unset paths to delete
 *  @throws Failure with a sentence that names the argument */
export function readPatch(wishes: readonly string[], unset: readonly string[]): Patch {
  const patch = new Map<string, unknown>();
  for (const wish of wishes) {
    const at = wish.indexOf('=');
    if (at < 0) throw usage(`"${wish}" lacks a value: PATH=VALUE, or PATH= to delete it`);
    put(patch, readPath(wish.slice(0, at)), readValue(wish, wish.slice(at + 1)), wish);
  }
  for (const path of unset) put(patch, readPath(path), null, `--unset ${path}`);
  return plain(patch);
}

function readPath(text: string): string[] {
  const names = text.startsWith('/')
    ? text
        .slice(1)
        .split('/')
        .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    : text.split('.');
  if (names.includes('')) throw usage(`"${text}" is no path: it has an empty name in it`);
  if (names[0]?.startsWith('$')) throw usage(`"${names[0]}" belongs to the hub and cannot be set`);
  return names;
}

function readValue(wish: string, text: string): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`the value of ${wish} is not JSON; text needs quotation marks, like 'PATH="text"'`);
  }
}

/** Maps, because a name may be `__proto__`. */
function put(patch: Map<string, unknown>, path: readonly string[], value: unknown, wish: string): void {
  let here = patch;
  for (const [depth, name] of path.entries()) {
    const known = here.get(name);
    const isLast = depth === path.length - 1;
    if (isLast ? here.has(name) : here.has(name) && !(known instanceof Map))
      throw usage(`${wish}: this path, or one that holds it or lies in it, is named twice`);
    if (isLast) here.set(name, value);
    else {
      const next = known instanceof Map ? (known as Map<string, unknown>) : new Map<string, unknown>();
      here.set(name, next);
      here = next;
    }
  }
}

const plain = (map: Map<string, unknown>): Patch =>
  Object.fromEntries(
    [...map].map(([name, value]) => [
      name,
      value instanceof Map ? plain(value as Map<string, unknown>) : value,
    ]),
  );
