/** A route template of an HTTP trigger, like `videos/{id:guid}/{part?}` or `files/{*path}`. */
export interface Route {
  /** The values of the parameters, or undefined when the path does not fit. */
  match(path: string): Readonly<Record<string, string>> | undefined;
  /** Higher for the more literal route, which is asked first. */
  readonly weight: number;
}

const CONSTRAINTS: Readonly<Record<string, string>> = {
  int: '-?\\d+',
  long: '-?\\d+',
  guid: '[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}',
  alpha: '[A-Za-z]+',
  bool: '(?:true|false)',
};

/** @throws Error for a constraint this host does not know */
export function parseRoute(template: string): Route {
  const names: string[] = [];
  let weight = 0;
  const segments = template.split('/').filter((segment) => segment !== '');
  const pattern = segments.map((segment) => {
    const parts = segment.split(/(\{[^}]*\})/).filter((part) => part !== '');
    weight = weight * 4 + (parts.length === 1 && parts[0]?.startsWith('{') === true ? 1 : 2);
    let optional = false;
    const source = parts.map((part) => {
      if (!part.startsWith('{')) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const { name, expression, isOptional } = parameterOf(part.slice(1, -1), template);
      names.push(name);
      optional ||= isOptional;
      return `(${expression})`;
    });
    return optional ? `(?:/${source.join('')})?` : `/${source.join('')}`;
  });
  const whole = new RegExp(`^${pattern.join('')}/?$`, 'i');
  return {
    weight,
    match: (path) => {
      const found = whole.exec(path);
      if (found === null) return undefined;
      const values = names.flatMap((name, index) => {
        const value = found[index + 1];
        return value === undefined ? [] : [[name, decode(value)] as const];
      });
      return Object.fromEntries(values);
    },
  };
}

function parameterOf(text: string, template: string) {
  const [declared = '', constraint] = text.split(':');
  const isOptional = text.endsWith('?');
  const name = declared.replace(/^\*+/, '').replace(/\?$/, '');
  if (declared.startsWith('*')) return { name, expression: '.*', isOptional: true };
  const type = constraint?.replace(/\?$/, '');
  const expression = type === undefined ? '[^/]+' : CONSTRAINTS[type];
  if (expression === undefined)
    throw new Error(`Route "${template}": the constraint "${type}" is not emulated by this host.`);
  return { name, expression, isOptional };
}

function decode(value: string): string {
  try {
    // An encoded slash stays one: it is no end of a segment.
    return value
      .split(/(%2f)/i)
      .map((part) => (/^%2f$/i.test(part) ? part : decodeURIComponent(part)))
      .join('');
  } catch {
    return value;
  }
}
