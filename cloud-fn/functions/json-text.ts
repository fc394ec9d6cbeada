/** JSON of a value that was parsed from JSON, however deep: `JSON.stringify` ends with its stack. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return textOfDeep(value);
  }
}

/** Ready text among the values that are still to be written. */
class Written {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function textOfDeep(whole: unknown): string {
  const parts: string[] = [];
  /** What is still to be written, the next last. */
  const open: unknown[] = [whole];
  while (open.length > 0) {
    const value = open.pop();
    if (value instanceof Written) parts.push(value.text);
    else if (typeof value !== 'object' || value === null) parts.push(JSON.stringify(value) ?? 'null');
    else {
      const isList = Array.isArray(value);
      const inner = isList
        ? value.flatMap((one: unknown, at) => [new Written(at > 0 ? ',' : ''), one])
        : Object.entries(value).flatMap(([name, one]: [string, unknown], at) => [
            new Written(`${at > 0 ? ',' : ''}${JSON.stringify(name)}:`),
            one,
          ]);
      parts.push(isList ? '[' : '{');
      open.push(new Written(isList ? ']' : '}'), ...inner.toReversed());
    }
  }
  return parts.join('');
}
