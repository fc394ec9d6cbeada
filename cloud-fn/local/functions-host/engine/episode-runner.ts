import { AppGone } from '../app-gone.ts';
import type { HiddenWork } from '../hostile/hidden-work.ts';
import { byAnyCase, type HostedFunction } from '../triggers/bindings.ts';
import type { Invoke } from '../triggers/invoke.ts';
import { EpisodeNotRun, runEpisode, type Episode, type OrchestrationTrigger } from './episode.ts';
import type { InstanceRow } from './history-sql.ts';
import type { HistoryEvent, OrchestratorState } from './wire.ts';

export interface EpisodeRunnerDeps {
  readonly orchestrators: ReadonlyMap<string, HostedFunction>;
  readonly activities: ReadonlyMap<string, HostedFunction>;
  readonly invoke: Invoke;
  /** Only on a hostile host: see `EngineDeps`. */
  readonly hidden?: HiddenWork | undefined;
}

/** Where an instance stands. */
export interface InstanceNow {
  readonly row: InstanceRow;
  /** What earlier episodes have stored. */
  readonly history: readonly HistoryEvent[];
  /** What has come in since, oldest first. */
  readonly arrived: readonly HistoryEvent[];
  readonly nowMs: number;
}

/** Runs episodes with the functions that are hosted here. */
export function createEpisodeRunner({ orchestrators, activities, invoke, hidden }: EpisodeRunnerDeps) {
  const known = { orchestrators: byAnyCase(orchestrators), activities: byAnyCase(activities) };

  const called = async (target: HostedFunction, trigger: OrchestrationTrigger) => {
    try {
      return await invoke(target, { data: { string: JSON.stringify(trigger) } });
    } catch (error) {
      if (error instanceof AppGone && hidden === undefined)
        throw new EpisodeNotRun(error.message, { cause: error });
      throw error;
    }
  };

  return async ({ row, history, arrived, nowMs }: InstanceNow): Promise<Episode> => {
    const target = known.orchestrators.get(row.name.toLowerCase());
    const episode = await runEpisode({
      instanceId: row.id,
      executionId: row.execution,
      name: row.name,
      parentInstanceId: row.parent_id,
      history,
      arrived,
      nowMs,
      run: async (trigger) => {
        if (target === undefined) throw new Error(unknownOrchestrator(row.name, orchestrators));
        const answer = await called(target, trigger);
        if (answer?.json === undefined)
          throw new Error('the function is not a Durable Functions orchestrator');
        return JSON.parse(answer.json) as OrchestratorState;
      },
    });
    return withoutUnknown(episode, row.name, known);
  };
}

const unknownOrchestrator = (name: string, known: ReadonlyMap<string, HostedFunction>): string =>
  `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: ` +
  `The following are the known orchestrator functions: ${[...known.values()].map((one) => `'${one.name}'`).join(', ')}.`;

/** The real host lets an instance wait for ever that calls what is not there; here it fails and says so. */
function withoutUnknown(
  episode: Episode,
  name: string,
  known: Pick<EpisodeRunnerDeps, 'activities' | 'orchestrators'>,
): Episode {
  const unknown = episode.scheduled.find(
    (task) =>
      (task.kind === 'activity' && !known.activities.has(task.name.toLowerCase())) ||
      (task.kind === 'sub-orchestration' && !known.orchestrators.has(task.name.toLowerCase())),
  );
  if (unknown === undefined || unknown.kind === 'timer') return episode;
  const reason =
    `Orchestrator function '${name}' failed: the function '${unknown.name}' doesn't exist, is disabled, ` +
    `or is not of kind ${unknown.kind}.`;
  return { ...episode, scheduled: [], end: { status: 'Failed', reason } };
}
