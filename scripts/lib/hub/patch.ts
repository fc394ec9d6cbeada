/** `PATH=VALUE` arguments of `scripts/hub desired` as a patch of the twin: null deletes. */
import { holdsLogin } from '../../../agent/settings/desired-value.ts';
import { quoted } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';

export type Patch = Record<string, unknown>;

const usage = (message: string) => new Refusal(message);

/** @param assignments `PATH=VALUE`; without a value it deletes
 *  @param unset paths to delete
 *  @throws Refusal with a sentence that names the argument */
export function readPatch(assignments: readonly string[], unset: readonly string[]): Patch {
  const patch = new Map<string, unknown>();
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 0) throw usage(`${quoted(assignment)} lacks a value: PATH=VALUE, or PATH= to delete it`);
    const path = assignment.slice(0, at);
    const names = readPath(path);
    const value = readValue(path, names, assignment.slice(at + 1));
    put(patch, names, value, path);
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

/** Never says the value back: it may be a password. */
function readValue(path: string, names: readonly string[], text: string): unknown {
  if (text.trim() === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (holdsLogin(names.at(-1) ?? '', value ?? text))
    throw usage(
      `the value of ${path} holds a login, which all who read the twin would see: put it into a credential file of the appliance and name that in "credential"; it stands in the history of your shell now, so change the password`,
    );
  if (value === undefined)
    throw usage(`the value of ${path} is not JSON; text needs quotation marks, like 'PATH="text"'`);
  return value;
}

/** Maps, because a name may be `__proto__`. */
function put(patch: Map<string, unknown>, path: readonly string[], value: unknown, shown: string): void {
  let here = patch;
  for (const [depth, name] of path.entries()) {
    const known = here.get(name);
    const isLast = depth === path.length - 1;
    if (isLast ? here.has(name) : here.has(name) && !(known instanceof Map))
      throw usage(`${shown}: this path, or one that holds it or lies in it, is named twice`);
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
