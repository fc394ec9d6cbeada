import { join } from 'node:path';
import { repoRoot } from '../places.ts';

/** What pulls the plug of the simulated UPS: for a shell, in any folder, whatever the machine's own Node is.
 *  @param control the simulator's socket for commands */
export const upsCommand = (control: string): string =>
  [
    ...[join(repoRoot, 'node_modules/.bin/node'), join(repoRoot, 'hardware/simulators/ups/main.ts')],
    ...['--control', control, '--tell', 'mains off'],
  ]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
