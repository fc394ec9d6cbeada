/** Writes contracts/schema/<name>.json from the TypeBox values. `node contracts/emit-schema.ts` */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as contracts from './index.ts';

const SCHEMA_DIR = join(import.meta.dirname, 'schema');

/** File name and text of every schema with an `$id`. */
export function schemaFiles(): { file: string; text: string }[] {
  const values: readonly unknown[] = Object.values(contracts);
  return values
    .filter(
      (value): value is { $id: string } => typeof value === 'object' && value !== null && '$id' in value,
    )
    .map((schema) => ({
      file: join(SCHEMA_DIR, `${schema.$id.replace('dachawatch/', '').replaceAll('/', '.')}.json`),
      text:
        JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema }, null, 2) +
        '\n',
    }));
}

if (import.meta.main) {
  mkdirSync(SCHEMA_DIR, { recursive: true });
  for (const { file, text } of schemaFiles()) writeFileSync(file, text);
}
