import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import type { Static, TSchema } from 'typebox';

/** A document that does not fit its schema. `message` names schema, place and what is wrong. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
  readonly schemaId: string;
  /** JSON pointer of the first offence; empty for the document itself. */
  readonly path: string;
  constructor(schemaId: string, path: string, message: string) {
    super(`${schemaId}: ${path || 'document'} ${message}`);
    this.schemaId = schemaId;
    this.path = path;
  }
}

/** The `$id` of a schema: `dachawatch/<name>/<version>`. */
export const schemaId = (schema: TSchema): string => (schema as { $id?: string }).$id ?? 'unnamed schema';

const compiled = new WeakMap<TSchema, ReturnType<typeof Compile>>();

/** Reads a document where it enters: unknown fields are dropped, missing required ones refused, nothing is guessed.
 *  @throws ContractError naming the field and the schema. */
export function parse<T extends TSchema>(schema: T, value: unknown): Static<T> {
  let validator = compiled.get(schema);
  if (!validator) {
    validator = Compile(schema);
    compiled.set(schema, validator);
  }
  if (validator.Check(value)) return Value.Clean(schema, Value.Clone(value)) as Static<T>;
  const error = validator.Errors(value)[0];
  throw new ContractError(schemaId(schema), error?.instancePath ?? '', error?.message ?? 'does not fit');
}

/** Like `parse`, but fills in the schema's defaults first: for configuration written by people. */
export function parseWithDefaults<T extends TSchema>(schema: T, value: unknown): Static<T> {
  return parse(schema, Value.Default(schema, Value.Clone(value)));
}
