import type { Static, TSchema } from 'typebox';
import { ContractError, parse, schemaId } from './parse.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Reads the bytes of a JSON document that somebody else wrote, whatever they are. A byte order mark in front is passed
 *  over.
 *  @throws ContractError for everything that is wrong with the bytes, and nothing else */
export function parseDocument<T extends TSchema>(schema: T, bytes: Uint8Array): Static<T> {
  try {
    return parse(schema, JSON.parse(UTF8.decode(bytes)));
  } catch (error) {
    if (error instanceof ContractError) throw error;
    throw new ContractError(schemaId(schema), '', whyUnreadable(error));
  }
}

function whyUnreadable(error: unknown): string {
  if (error instanceof SyntaxError) return 'is not JSON';
  if (
    error instanceof TypeError &&
    (error as { code?: unknown }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
  )
    return 'is not text in UTF-8';
  if (error instanceof RangeError) return 'is nested too deeply';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
