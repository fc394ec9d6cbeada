import type { TriggerKind } from '../triggers/bindings.ts';
import type { Invocation, Invoke } from '../triggers/invoke.ts';
import type { Hostility } from './hostility.ts';

/** What may come a second time: the real host delivers these at least once. */
const AT_LEAST_ONCE: ReadonlySet<TriggerKind> = new Set([
  'activityTrigger',
  'orchestrationTrigger',
  'queueTrigger',
  'eventGridTrigger',
]);

/** Timer triggers are called all the time: without this they would take all the deaths. */
const RARELY = 0.05;

/** Calls that come twice, and in the middle of which the app's process dies.
 *  @param killApp kills the process that runs the app, so far into what it is called for (0 to 1) */
export function createHostileInvoke(
  invoke: Invoke,
  hostility: Pick<Hostility, 'deliversTwice' | 'killsApp'>,
  killApp: (after: number) => void,
): Invoke {
  return async (target, invocation) => {
    const what = `${target.name} ${instanceOf(invocation)}`;
    const dies = hostility.killsApp(what, target.kind === 'timerTrigger' ? RARELY : 1);
    if (dies !== undefined) killApp(dies);
    const answer = await invoke(target, invocation);
    return AT_LEAST_ONCE.has(target.kind) && hostility.deliversTwice(what)
      ? invoke(target, invocation)
      : answer;
  };
}

/** Whose call it is, as far as its trigger says. */
function instanceOf({ data, metadata }: Invocation): string {
  const id = metadata?.['instanceId']?.string;
  if (id !== undefined) return id;
  return /"instanceId":"([^"]*)"/.exec(data.string ?? '')?.[1] ?? '';
}
