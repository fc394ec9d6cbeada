import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Notes which modules a process loads: give `nodeOptions` to it.
 *  @param dir folder for the preload and its list */
export function noteLoads(dir: string): { nodeOptions: readonly string[]; modules(): string[] } {
  const loaded = join(dir, 'loaded.txt');
  const preload = join(dir, 'preload.mjs');
  writeFileSync(loaded, '');
  writeFileSync(
    preload,
    `import { appendFileSync } from 'node:fs';
     import { registerHooks } from 'node:module';
     registerHooks({
       load(url, context, next) {
         appendFileSync(${JSON.stringify(loaded)}, url + '\\n');
         return next(url, context);
       },
     });`,
  );
  return {
    nodeOptions: ['--import', pathToFileURL(preload).href],
    modules: () => readFileSync(loaded, 'utf8').trim().split('\n'),
  };
}
