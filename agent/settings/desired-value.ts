import { ContractError, isJson, parse } from '@dachawatch/contracts';

/** Schema of one property, as the contract has it. */
export type Leaf = Parameters<typeof parse>[0];

export type ReadValue =
  | { readonly value: unknown }
  /** `at`: where inside the value, empty for the value itself. */
  | { readonly at: readonly string[]; readonly reason: string };

/** IoT Hub allows ten levels; what is deeper would exhaust the stack of who copies it. */
const MAX_DEPTH = 10;

/** Reads one property. A property inside it that nobody knows refuses it: a mistyped name must not pass silently.
 *  The reason says what is allowed and never what was given. */
export function readValue(schema: Leaf, value: unknown): ReadValue {
  if (isDeeperThan(value, MAX_DEPTH))
    return { at: [], reason: `must not be nested deeper than ${MAX_DEPTH}` };
  let clean: unknown;
  try {
    clean = parse(schema, value);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    const at = error.path.split('/').slice(1).map(plainName);
    return { at, reason: complaint(schemaAt(schema, at), error.message) };
  }
  const stray = firstDropped(value, clean);
  return stray ? { at: stray, reason: 'unknown property' } : { value: clean };
}

const SECRET_NAME = /^(?:pass(?:word|wd|phrase)?|pwd|secret)$/i;
/** A login before the host, also one with characters that end it too early. */
const LOGIN_BEFORE_HOST = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@|[^/?#]*:(?!\d+[/?#]).*@)/i;
/** Some cameras take the login as a parameter of the address. */
const LOGIN_AS_PARAMETER = /:\/\/.*(?<![a-z])(?:user(?:name)?|usr|login|pass(?:word|wd)?|pwd)=/i;

/** Whether a property holds what nobody may read in a twin: a password by its name, or a login in an address. */
export function holdsLogin(name: string, value: unknown, depth = 0): boolean {
  // What is nested deeper is refused for that.
  if (depth > MAX_DEPTH) return false;
  if (typeof value === 'string')
    return SECRET_NAME.test(name) || LOGIN_BEFORE_HOST.test(value) || LOGIN_AS_PARAMETER.test(value);
  if (Array.isArray(value)) return value.some((one) => holdsLogin(name, one, depth + 1));
  return isJson(value) && Object.entries(value).some(([key, inner]) => holdsLogin(key, inner, depth + 1));
}

/** Why such a property is refused, and what has to be done: refused or not, it stands in the twin.
 *  @param pointer JSON pointer of the property */
export const loginInTwin = (pointer: string): string =>
  `holds a login, which all who read the twin see: remove it (scripts/hub desired DEVICE --unset ${pointer}, or set it to null), change the password, and name a credential file of the appliance in "credential"`;

const plainName = (token: string) => token.replaceAll('~1', '/').replaceAll('~0', '~');

interface Shape {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Shape | readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

function schemaAt(schema: Shape, at: readonly string[]): Shape {
  let here: Shape | undefined = schema;
  for (const name of at) {
    const items: Shape | undefined = isTuple(here?.items) ? here.items[Number(name)] : here?.items;
    here = here?.properties?.[name] ?? items;
  }
  return here ?? {};
}
const isTuple = (items: Shape['items']): items is readonly Shape[] => Array.isArray(items);

const ADDRESS =
  'an address that begins with rtsp:// or rtsps://, of at most 1024 characters, without spaces and without a ' +
  'login: that belongs into a credential file on the appliance, named in "credential"';
/** Patterns of the contract in words. */
const PATTERNS: Readonly<Record<string, string>> = {
  '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$':
    'a name of 1 to 63 letters, digits, - or _ that begins with a letter or digit',
  '^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$': 'a time of day from 00:00 to 24:00',
};

/** How the schema library says what it checks by itself. What else it says is a sentence of the contract. */
const TECHNICAL =
  /^must (?:be (?:integer|number|string|array|object|boolean|equal|[<>])|match |have |not have )/;

function complaint(shape: Shape, message: string): string {
  const said = message.slice(message.indexOf('must '));
  return TECHNICAL.test(said) ? `must be ${expectation(shape)}` : said;
}

/** What a schema allows, to stand behind "must be". */
export function expectation(shape: Shape): string {
  const { type, items, required = [] } = shape;
  if (shape.enum) return `one of ${shape.enum.join(', ')}`;
  if (shape.format === 'camera-address') return ADDRESS;
  if (shape.pattern !== undefined) return PATTERNS[shape.pattern] ?? `text that fits ${shape.pattern}`;
  if (type === 'integer') return `a whole number${range(shape.minimum, shape.maximum, ' from')}`;
  if (type === 'number') return `a number${range(shape.minimum, shape.maximum, ' from')}`;
  if (type === 'string') return `text${range(shape.minLength, shape.maxLength, ' of', ' characters')}`;
  if (isTuple(items)) return `a list of ${items.length}: ${items.map(expectation).join(', ')}`;
  if (type === 'array') return `a list${range(shape.minItems, shape.maxItems, ' of', ' entries')}`;
  return required.length > 0 ? `an object with ${required.join(', ')}` : 'an object';
}

function range(least: number | undefined, most: number | undefined, word: string, unit = ''): string {
  if (least !== undefined && most !== undefined) return `${word} ${least} to ${most}${unit}`;
  if (most !== undefined) return `${word} at most ${most}${unit}`;
  return least === undefined ? '' : `${word} at least ${least}${unit}`;
}

/** The first property that reading has dropped, by the names that lead to it. */
function firstDropped(given: unknown, kept: unknown): string[] | undefined {
  if (!isObject(given) || !isObject(kept)) return undefined;
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(kept, key)) return [key];
    const inside = firstDropped(value, kept[key]);
    if (inside) return [key, ...inside];
  }
  return undefined;
}
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isDeeperThan = (value: unknown, levels: number): boolean =>
  isObject(value) && (levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1)));
