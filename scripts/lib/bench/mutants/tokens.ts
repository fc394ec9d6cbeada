/** JavaScript cut into tokens, as far as mutants need it. */

export interface Token {
  readonly kind: 'word' | 'number' | 'text' | 'sign';
  readonly text: string;
  /** Offset of the first character, and behind the last one. */
  readonly from: number;
  readonly to: number;
}

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /#?[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
const NUMBER = /0[xXoObB][\da-fA-F_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?n?/y;
const TEXT = /'(?:\\[\s\S]|[^'\\])*'|"(?:\\[\s\S]|[^"\\])*"/y;
const REGULAR = /\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[\n])+\/[a-z]*/y;
const SIGN =
  />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|<<|>>|\*\*|[{}()[\];,<>+\-*/%&|^!~?:=.@]/y;
/** A slash behind one of these begins a regular expression, behind other words and closing brackets it divides. */
const BEFORE_VALUE = new Set(
  'return typeof instanceof in of new delete void throw case do else yield await'.split(' '),
);

/** @param code JavaScript without types
 *  @throws Error where no token begins */
export function tokensOf(code: string): Token[] {
  const tokens: Token[] = [];
  /** Depth of braces at which a template goes on. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(code)?.[0];
  };
  const take = (kind: Token['kind'], text: string) => {
    tokens.push({ kind, text, from: at, to: at + text.length });
    at += text.length;
  };
  const divides = () => {
    const last = tokens.at(-1);
    if (last === undefined) return false;
    if (last.kind === 'word') return !BEFORE_VALUE.has(last.text);
    return last.kind !== 'sign' || /^[)\]}]$/.test(last.text);
  };
  /** From a backtick, or from the brace that ends an insertion, to the next insertion or the end. */
  const takeTemplate = () => {
    let end = at + 1;
    while (end < code.length && code[end] !== '`' && !code.startsWith('${', end))
      end += code[end] === '\\' ? 2 : 1;
    const inserts = code[end] === '$';
    if (inserts) templates.push(depth);
    take('text', code.slice(at, end + (inserts ? 2 : 1)));
  };

  while (at < code.length) {
    at += match(SPACE)?.length ?? 0;
    if (at >= code.length) break;
    const char = code[at];
    if (char === '`' || (char === '}' && templates.at(-1) === depth)) {
      if (char === '}') templates.pop();
      takeTemplate();
      continue;
    }
    const word = match(WORD);
    const number = match(NUMBER);
    const text = match(TEXT) ?? (char === '/' && !divides() ? match(REGULAR) : undefined);
    const sign = match(SIGN);
    if (word !== undefined) take('word', word);
    else if (number !== undefined) take('number', number);
    else if (text !== undefined) take('text', text);
    else if (sign !== undefined) {
      depth += sign === '{' ? 1 : sign === '}' ? -1 : 0;
      take('sign', sign);
    } else throw new Error(`no token begins at ${JSON.stringify(code.slice(at, at + 20))}`);
  }
  return tokens;
}
