import type { Stage } from './stage.ts';

export interface Scenario {
  readonly name: string;
  /** What it needs of an engine: its processes, to kill them, or its storage, for queues. */
  readonly needs?: 'processes' | 'storage';
  /** Nothing else runs on the engine meanwhile. */
  readonly alone?: boolean;
  readonly play: (stage: Stage) => Promise<void>;
}

/** Scenarios by their names. */
export type Scenarios = Readonly<Record<string, Scenario['play'] | Omit<Scenario, 'name'>>>;

export const scenariosOf = (groups: readonly Scenarios[]): Scenario[] =>
  groups.flatMap((group) =>
    Object.entries(group).map(([name, one]) =>
      typeof one === 'function' ? { name, play: one } : { name, ...one },
    ),
  );
