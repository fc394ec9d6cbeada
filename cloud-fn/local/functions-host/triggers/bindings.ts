import type { Binding, FunctionMetadata } from '../core-api.ts';

export type TriggerKind =
  | 'orchestrationTrigger'
  | 'activityTrigger'
  | 'httpTrigger'
  | 'queueTrigger'
  | 'timerTrigger'
  | 'eventGridTrigger';

export interface HostedFunction {
  readonly metadata: FunctionMetadata;
  readonly name: string;
  readonly kind: TriggerKind;
  readonly triggerName: string;
  readonly trigger: Binding;
}

const KINDS: ReadonlySet<string> = new Set<TriggerKind>([
  'orchestrationTrigger',
  'activityTrigger',
  'httpTrigger',
  'queueTrigger',
  'timerTrigger',
  'eventGridTrigger',
]);

/** What an app has registered, wherever it runs. */
export interface AppFunctions {
  readonly functions: ReadonlyMap<string, { readonly metadata: FunctionMetadata }>;
}

/** A text field of a binding, undefined when it is missing or empty. */
export function textOf(binding: Binding, field: string): string | undefined {
  const value = binding[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The app's functions with their triggers.
 *  @throws Error naming the first function that needs something this host does not emulate */
export function hostedFunctions(app: AppFunctions): readonly HostedFunction[] {
  return [...app.functions].map(([name, { metadata }]) => {
    const bindings = Object.entries(metadata.bindings);
    const [triggerName, trigger] = bindings.find(([, one]) => /trigger$/i.test(one.type)) ?? [];
    if (triggerName === undefined || trigger === undefined)
      throw new Error(`Function "${name}" has no trigger.`);
    if (!KINDS.has(trigger.type))
      throw new Error(`Function "${name}" has a ${trigger.type}, which this host does not emulate.`);
    for (const [bindingName, binding] of bindings)
      if (bindingName !== triggerName && binding.type !== 'durableClient' && binding.type !== 'http')
        throw new Error(
          `Function "${name}" has the ${binding.direction === 'in' ? 'input' : 'output'} binding ` +
            `${binding.type}, which this host does not emulate.`,
        );
    return { metadata, name, kind: trigger.type as TriggerKind, triggerName, trigger };
  });
}

/** The same functions by their names in small letters: of orchestrators and activities the real host ignores case. */
export const byAnyCase = (
  functions: ReadonlyMap<string, HostedFunction>,
): ReadonlyMap<string, HostedFunction> =>
  new Map([...functions].map(([name, one]) => [name.toLowerCase(), one]));
