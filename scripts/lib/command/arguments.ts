/** The one reader of arguments for all commands. It refuses what has no effect: empty values, options that belong to
 *  another command, an option given twice. Nothing that could be a secret is said back. */
import { parseArgs } from 'node:util';
import { Refusal } from './ends.ts';

interface Flag {
  readonly kind: 'flag';
}
interface Text {
  readonly kind: 'text';
}
interface Texts {
  readonly kind: 'texts';
}
interface Amount {
  readonly kind: 'whole' | 'decimal';
  readonly min: number;
  readonly max: number;
}
interface Choice<Word extends string> {
  readonly kind: 'choice';
  readonly words: readonly Word[];
}
type Kind = Flag | Text | Texts | Amount | Choice<string>;
/** `with`: the options of which one must be given beside it, else this one has no effect. */
export type Option = Kind & { readonly with?: readonly string[] };
export type Options = Readonly<Record<string, Option>>;

export const flag: Flag = { kind: 'flag' };
export const text: Text = { kind: 'text' };
/** May be given again and again. */
export const texts: Texts = { kind: 'texts' };
export const whole = (min: number, max: number): Amount => ({ kind: 'whole', min, max });
export const decimal = (min: number, max: number): Amount => ({ kind: 'decimal', min, max });
export const choice = <const Word extends string>(words: readonly Word[]): Choice<Word> => ({
  kind: 'choice',
  words,
});

type ValueOf<O extends Option> = O extends Flag
  ? boolean
  : O extends Texts
    ? readonly string[]
    : O extends Amount
      ? number | undefined
      : O extends Choice<infer Word>
        ? Word | undefined
        : string | undefined;

export interface Arguments<O extends Options> {
  readonly values: { readonly [Name in keyof O]: ValueOf<O[Name]> };
  /** What is no option, in order. */
  readonly words: readonly string[];
}

/** @param command as a person types it, for sentences
 *  @throws Refusal with one sentence */
export function readArguments<const O extends Options>(
  command: string,
  args: readonly string[],
  options: O,
): Arguments<O> {
  const given = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokensOf(args, options)) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (!option || !token.rawName.startsWith('--'))
      throw new Refusal(`there is no option ${quoted(token.rawName)}; ${command} --help lists them`);
    const before = given.get(token.name) ?? [];
    if (before.length > 0 && option.kind !== 'texts')
      throw new Refusal(`${token.rawName} is given twice; one of the two would have no effect`);
    given.set(token.name, [...before, valueGiven(token, option)]);
  }
  for (const [name, { with: partners }] of Object.entries(options))
    if (partners && given.has(name) && !partners.some((partner) => given.has(partner)))
      throw new Refusal(
        `--${name} has no effect without ${partners.map((partner) => `--${partner}`).join(' or ')}`,
      );
  const values = Object.entries(options).map(([name, option]) => [
    name,
    valueOf(name, option, given.get(name)),
  ]);
  return { values: Object.fromEntries(values) as Arguments<O>['values'], words };
}

/** For commands that take no words.
 *  @throws Refusal */
export function requireNoWords(words: readonly string[]): void {
  const [first] = words;
  if (first !== undefined)
    throw new Refusal(
      first === ''
        ? 'there is an empty argument; is a variable unset?'
        : `${quoted(first)} belongs to no option`,
    );
}

/** A word of a person in a sentence: shortened, without control characters. */
export const quoted = (word: string): string =>
  JSON.stringify(word.length > 60 ? `${word.slice(0, 59)}…` : word).replaceAll(/\p{Cf}/gu, '');

function tokensOf(args: readonly string[], options: Options) {
  return parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { kind }]) => [
        name,
        { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  }).tokens;
}

function valueGiven(
  {
    rawName,
    value,
    inlineValue,
  }: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  { kind }: Option,
): string {
  if (kind === 'flag') {
    if (value !== undefined) throw new Refusal(`${rawName} takes no value`);
    return '';
  }
  if (value === undefined) throw new Refusal(`${rawName} lacks its value`);
  if (value.trim() === '') throw new Refusal(`the value of ${rawName} is empty; is a variable unset?`);
  // "-3" is a number, if a wrong one; "--json" behind --data is a value that was forgotten.
  if (!inlineValue && value.startsWith('--'))
    throw new Refusal(`${rawName} lacks its value: ${quoted(value)} comes next`);
  return value;
}

function valueOf(name: string, option: Option, given: readonly string[] | undefined) {
  if (option.kind === 'flag') return given !== undefined;
  if (option.kind === 'texts') return given ?? [];
  const value = given?.[0];
  if (value === undefined || option.kind === 'text') return value;
  if (option.kind === 'choice') {
    if (option.words.includes(value)) return value;
    throw new Refusal(`--${name} takes ${oneOf(option.words)}, not ${quoted(value)}`);
  }
  return amount(`--${name}`, value, option);
}

const oneOf = (words: readonly string[]) =>
  words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** Digits, as a person writes a number: nothing hexadecimal, no exponent, no spaces. */
function amount(what: string, value: string, { kind, min, max }: Amount): number {
  const number = Number(value);
  const written = kind === 'whole' ? /^\d+$/ : /^\d+(\.\d+)?$/;
  if (written.test(value) && number >= min && number <= max) return number;
  throw new Refusal(
    `${what} takes a ${kind === 'whole' ? 'whole ' : ''}number from ${min} to ${max}, not ${quoted(value)}`,
  );
}
