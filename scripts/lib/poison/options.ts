/** Arguments of `scripts/poison`; its help stands there. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure } from '../../../agent/kernel/failure.ts';
import { stateDir } from '../places.ts';

export interface PoisonCommand {
  readonly name: 'list' | 'show' | 'again';
  readonly ids: readonly string[];
  readonly all: boolean;
  readonly dataDir: string;
  readonly json: boolean;
}

const usage = (message: string) => new Failure('rejected', 'poison.usage', message);

/** @throws Failure `poison.usage` in one sentence */
export function readPoisonCommand(args: string[]): PoisonCommand {
  const { values, positionals } = parse(args);
  const [name = '', ...ids] = positionals;
  if (name !== 'list' && name !== 'show' && name !== 'again')
    throw usage(
      `${name === '' ? 'a command is missing' : `there is no command ${name}`}: list, show or again`,
    );
  const all = values.all ?? false;
  if (all && name !== 'again') throw usage(`--all does not go with ${name}`);
  if (name === 'list' && ids.length > 0) throw usage('list takes no id');
  if (name === 'show' && ids.length !== 1) throw usage('show takes one id');
  if (name === 'again' && all === ids.length > 0) throw usage('again takes ids, or --all');
  const strange = ids.find((id) => !/^[0-9a-f]{32}$/.test(id));
  if (strange !== undefined) throw usage(`"${strange}" is not an id: list shows them`);
  return {
    name,
    ids,
    all,
    dataDir: resolve(values.data ?? join(stateDir(), 'run')),
    json: values.json ?? false,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: { data: { type: 'string' }, json: { type: 'boolean' }, all: { type: 'boolean' } },
      allowPositionals: true,
    });
  } catch (error) {
    throw usage(`${(error as Error).message} (scripts/poison --help lists the options)`);
  }
}
