/** Arguments of `scripts/poison`; its help stands there. */
import { join, resolve } from 'node:path';
import { flag, quoted, readArguments, text } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { stateDir } from '../places.ts';

/** Names the storage account of another cloud. */
export const STORAGE_VARIABLE = 'DACHAWATCH_STORAGE_CONNECTION';

export interface PoisonCommand {
  readonly name: 'list' | 'show' | 'again';
  readonly ids: readonly string[];
  readonly all: boolean;
  readonly dataDir: string;
  /** Of the storage of another cloud than the local one. */
  readonly connection: string | undefined;
  readonly json: boolean;
}

/** @throws Refusal with a sentence when the arguments make no sense */
export function readPoisonCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): PoisonCommand {
  const { values, words } = readArguments('scripts/poison', args, { data: text, json: flag, all: flag });
  const [name = '', ...ids] = words;
  if (name !== 'list' && name !== 'show' && name !== 'again')
    throw new Refusal(
      `${name === '' ? 'there is no command' : `${quoted(name)} is no command`}; there are list, show, again (scripts/poison --help explains them)`,
    );
  const { all } = values;
  if (all && name !== 'again') throw new Refusal(`--all does not belong to ${name}`);
  if (name === 'list' && ids.length > 0) throw new Refusal('usage: scripts/poison list');
  if (name === 'show' && ids.length !== 1) throw new Refusal('usage: scripts/poison show ID');
  if (name === 'again' && all === ids.length > 0)
    throw new Refusal('usage: scripts/poison again ID…, or again --all');
  const strange = ids.find((id) => !/^[0-9a-f]{32}$/.test(id));
  if (strange !== undefined) throw new Refusal(`${quoted(strange)} is no id; scripts/poison list shows them`);
  const connection = environment[STORAGE_VARIABLE]?.trim() || undefined;
  if (connection !== undefined && values.data !== undefined)
    throw new Refusal(`--data has no effect with ${STORAGE_VARIABLE}, which names another cloud`);
  const dataDir = resolve(values.data ?? join(stateDir(), 'run'));
  return { name, ids, all, dataDir, connection, json: values.json };
}
