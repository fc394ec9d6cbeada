/** Where one small thing of a program can be changed so that a good test notices. */
import { stripTypeScriptTypes } from 'node:module';
import { type Token, tokensOf } from './tokens.ts';

export interface Mutant {
  /** Path below the root of the tree. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: 'operator' | 'constant' | 'await' | 'call' | 'condition' | 'return';
  readonly from: number;
  readonly to: number;
  /** What stands in place of the characters from `from` to `to`. */
  readonly replacement: string;
}

const OPERATORS: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '&&': '||',
  '||': '&&',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '+=': '-=',
  '-=': '+=',
  '++': '--',
  '--': '++',
};
/** Words with which no statement begins that is a call and nothing else. */
const NO_CALL = new Set(
  `if for while do switch try catch finally return throw const let var function class import export case default
   break continue new delete typeof yield else async static get set super`.split(/\s+/),
);
/** What has a bracket and a body, and is no function. */
const NO_FUNCTION = new Set(['if', 'for', 'while', 'switch', 'catch', 'with']);

/** Every mutant of one file, in the order of the source. Types have none: they are gone when the program runs.
 *  A mutant that would be no program is left out. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const code = stripTypeScriptTypes(source);
  if (code.length !== source.length) throw new Error(`${file}: its types cannot be taken out in place`);
  const tokens = tokensOf(code);
  const lines = [...code.matchAll(/\n/g)].map(({ index }) => index);
  const lineOf = (at: number) => lines.filter((end) => end < at).length + 1;
  return tokens
    .flatMap((_, index) => [...changesAt(code, tokens, index)])
    .map((change) => ({ file, line: lineOf(change.from), ...change }))
    .filter((mutant) => isProgram(mutated(source, mutant)));
}

export const mutated = (source: string, { from, to, replacement }: Mutant): string =>
  source.slice(0, from) + replacement + source.slice(to);

function isProgram(source: string): boolean {
  try {
    stripTypeScriptTypes(source);
    return true;
  } catch {
    return false;
  }
}

type Change = Omit<Mutant, 'file' | 'line'>;

function* changesAt(code: string, tokens: readonly Token[], index: number): Generator<Change> {
  const token = tokens[index] as Token;
  const { text, from, to } = token;
  const before = tokens[index - 1];
  const after = tokens[index + 1];
  if (token.kind === 'sign') {
    const turned = Object.hasOwn(OPERATORS, text) ? OPERATORS[text] : undefined;
    if (turned !== undefined && !isSignOfNumber(text, before))
      yield { kind: 'operator', from, to, replacement: turned };
    if (text === '{' && opensFunction(tokens, index) && after?.text !== '}')
      yield { kind: 'return', from, to, replacement: '{ return;' };
  } else if (token.kind === 'number') {
    yield { kind: 'constant', from, to, replacement: otherNumber(text) };
  } else if (token.kind === 'word') {
    const isName = before?.text === '.' || before?.text === '?.' || after?.text === ':';
    if ((text === 'true' || text === 'false') && !isName)
      yield { kind: 'constant', from, to, replacement: text === 'true' ? 'false' : 'true' };
    if (text === 'await' && before?.text !== 'for' && after)
      yield { kind: 'await', from, to: after.from, replacement: '' };
    if (text === 'if' && after?.text === '(' && !isName) {
      const end = tokens[closing(tokens, index + 1)];
      const asked = code.slice(after.to, end?.from);
      if (end) yield { kind: 'condition', from: after.to, to: end.from, replacement: `!(${asked})` };
    }
    const end = isStatementStart(before) ? endOfCall(tokens, index) : undefined;
    if (end !== undefined) yield { kind: 'call', from, to: end, replacement: '' };
  }
}

/** `-1` is a constant, `a - 1` an operation. */
const isSignOfNumber = (sign: string, before: Token | undefined) =>
  (sign === '-' || sign === '+') &&
  (before === undefined ||
    (before.kind === 'sign' && !/^[)\]}]$/.test(before.text)) ||
    before.text === 'return');

function otherNumber(text: string): string {
  if (text.endsWith('n')) return `${BigInt(text.slice(0, -1).replaceAll('_', '')) + 1n}n`;
  return String(Number(text.replaceAll('_', '')) + 1);
}

const isStatementStart = (before: Token | undefined) => before === undefined || /^[;{}]$/.test(before.text);

/** Index of the bracket that closes the one at `open`. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    const { kind, text } = tokens[index] as Token;
    if (kind === 'sign' && /^[([{]$/.test(text)) depth++;
    if (kind === 'sign' && /^[)\]}]$/.test(text) && --depth === 0) return index;
  }
  return -1;
}

function opensFunction(tokens: readonly Token[], brace: number): boolean {
  const before = tokens[brace - 1]?.text;
  if (before === '=>') return true;
  if (before !== ')') return false;
  let depth = 0;
  for (let index = brace - 1; index > 0; index--) {
    const { kind, text } = tokens[index] as Token;
    if (kind === 'sign' && text === ')') depth++;
    if (kind === 'sign' && text === '(' && --depth === 0) {
      const name = tokens[index - 1]?.text ?? '';
      return !NO_FUNCTION.has(name === 'await' ? (tokens[index - 2]?.text ?? '') : name);
    }
  }
  return false;
}

/** `name.member(…).more(…);`, perhaps awaited. @returns the offset of its semicolon; undefined for anything else */
function endOfCall(tokens: readonly Token[], start: number): number | undefined {
  let index = tokens[start]?.text === 'await' || tokens[start]?.text === 'void' ? start + 1 : start;
  const first = tokens[index];
  if (first?.kind !== 'word' || NO_CALL.has(first.text)) return undefined;
  while (++index < tokens.length) {
    const token = tokens[index];
    if (token?.text === ';') return tokens[index - 1]?.text === ')' ? token.from : undefined;
    if (token?.text === '(' || token?.text === '[') index = closing(tokens, index);
    else if (token?.text !== '.' && token?.text !== '?.' && token?.kind !== 'word') return undefined;
    if (index < 0) return undefined;
  }
  return undefined;
}
