/** What a scenario has seen of one engine, step by step. */
export interface Transcript {
  readonly scenario: string;
  readonly steps: readonly Step[];
}
export interface Step {
  readonly label: string;
  /** Normalised. */
  readonly value: unknown;
}

/** One place where two engines differ. */
export interface Difference {
  readonly scenario: string;
  readonly step: string;
  /** Of the value inside the step, like `body.historyEvents.2.Name`; empty: the step itself. */
  readonly path: string;
  readonly real: unknown;
  readonly ours: unknown;
}

/** What stands for a field, element or step that is not there. */
export const ABSENT = '(absent)';

/** Where `real` and `ours` differ, fields and their order included. */
export function differencesOf(real: Transcript, ours: Transcript): Difference[] {
  const found: Difference[] = [];
  const note = (step: string, path: readonly (string | number)[], one: unknown, other: unknown) =>
    found.push({ scenario: real.scenario, step, path: path.join('.'), real: one, ours: other });
  const compare = (step: string, path: readonly (string | number)[], one: unknown, other: unknown): void => {
    if (one === other) return;
    if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other))
      return void note(step, path, one, other);
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    const order = (value: object) => Object.keys(value).filter((key) => key in one && key in other);
    if (order(one).join() !== order(other).join())
      note(step, [...path, '(order)'], order(one).join(), order(other).join());
    for (const key of keys)
      compare(step, [...path, key], key in one ? one[key] : ABSENT, key in other ? other[key] : ABSENT);
  };
  const length = Math.max(real.steps.length, ours.steps.length);
  for (let index = 0; index < length; index += 1) {
    const [one, other] = [real.steps[index], ours.steps[index]];
    const step = one?.label ?? other?.label ?? '';
    if (one === undefined || other === undefined || one.label !== other.label)
      note(step, [], one?.label ?? ABSENT, other?.label ?? ABSENT);
    else compare(step, [], one.value, other.value);
  }
  return found;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Texts of one run, with what stands for them. Longer ones must come first. */
export type Replacements = readonly (readonly [text: string, name: string])[];

/** History has times up to 100 ns, which end in a zero now and then and then lose a digit. */
const FINE_TIMES = new Set(['Timestamp', 'ScheduledTime', 'FireAt', 'ScheduledStartTime']);
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?/g;

/** An exception of .NET as JSON: what it says stands before it as well. */
const EXCEPTION = /\{\\*"\$type\\*":\\*"System\.Exception.*?WatsonBuckets\\*":null\}/gs;
/** The real engine names the functions it knows in no order. */
const KNOWN = /(known orchestrator functions: )(.*)\./;

/** `value` without what no two runs share: times keep their form, ids and addresses get names, stacks go. */
export function normalised(value: unknown, replacements: Replacements, key = ''): unknown {
  if (key === 'StackTrace') return '$stack';
  if (typeof value === 'string') {
    let text = value
      .replaceAll(EXCEPTION, '$exception')
      .replaceAll(/"StackTrace":(?:null|"(?:[^"\\]|\\.)*")/g, '"StackTrace":"$stack"')
      .replaceAll(/, StackTrace: .*/gs, ', StackTrace: $stack')
      .replace(
        KNOWN,
        (_, before: string, names: string) => `${before}${names.split(', ').toSorted().join(', ')}.`,
      );
    for (const [found, name] of replacements) text = text.replaceAll(found, name);
    return text
      .replaceAll(/([?&]code=)[^&"\s]+/g, (_, before: string) => `${before}$key`)
      .replaceAll('https://$host', '$origin')
      .replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, '$guid')
      .replaceAll(/\b[0-9a-f]{32}\b/g, '$id')
      .replaceAll(TIME, (_, fraction: string | undefined, zone: string | undefined) => {
        const digits = fraction === undefined || FINE_TIMES.has(key) ? '' : '.f';
        return `<time${digits}${zone ?? ''}>`;
      });
  }
  if (Array.isArray(value)) return value.map((one) => normalised(one, replacements));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      normalised(name, replacements) as string,
      normalised(one, replacements, name),
    ]),
  );
}
