/** with-defaults.ts FILE: prints a power configuration with what the contract adds to it. Run on this side: TypeBox
 *  takes a quarter of a minute to load where every instruction is emulated. */
import { readFileSync } from 'node:fs';
import { parseWithDefaults, PowerConfig } from '@dachawatch/contracts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name a file');
process.stdout.write(
  `${JSON.stringify(parseWithDefaults(PowerConfig, JSON.parse(readFileSync(file, 'utf8'))))}\n`,
);
