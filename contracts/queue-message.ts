import { parse, schemaId } from './parse.ts';
import { ProcessingRequest } from './messages/processing-request.ts';
import { ProcessingResult } from './messages/processing-result.ts';

/** Why a queue message can never be read. `code` is stable; it is what the poison queue shows. */
export class QueueMessageError extends Error {
  override readonly name = 'QueueMessageError';
  readonly code: 'bad-base64' | 'bad-json' | 'bad-contract';
  constructor(code: QueueMessageError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Other spellings of `blobUrl` that the original system's parts used. Read, never written. */
const OLD_SPELLINGS = ['blobURL', 'bloburl', 'Url'] as const;

/** Base64 of the JSON: how every queue message is written. */
export const encodeQueueMessage = (message: ProcessingRequest | ProcessingResult): string =>
  Buffer.from(JSON.stringify(message), 'utf8').toString('base64');

/** @throws QueueMessageError */
export const decodeProcessingRequest = (text: string): ProcessingRequest => decode(ProcessingRequest, text);
/** @throws QueueMessageError */
export const decodeProcessingResult = (text: string): ProcessingResult => decode(ProcessingResult, text);

function decode<S extends typeof ProcessingRequest | typeof ProcessingResult>(schema: S, text: string) {
  const json = plainText(text);
  let value: unknown;
  try {
    value = JSON.parse(json);
    // The original worker sent the object as a JSON string inside JSON.
    if (typeof value === 'string') value = JSON.parse(value);
  } catch {
    throw new QueueMessageError('bad-json', `${schemaId(schema)}: the message is not JSON`);
  }
  try {
    return parse(schema, withCurrentSpelling(value));
  } catch (error) {
    throw new QueueMessageError('bad-contract', (error as Error).message);
  }
}

/** The JSON text of a message: plain when it starts as JSON does, else base64 decoded strictly. */
function plainText(text: string): string {
  const trimmed = text.trim();
  if (/^[{["]/.test(trimmed)) return trimmed;
  const bytes = Buffer.from(trimmed, 'base64');
  // Buffer.from never refuses: only a text that encodes back to itself was base64.
  if (trimmed === '' || bytes.toString('base64').replace(/=+$/, '') !== trimmed.replace(/=+$/, ''))
    throw new QueueMessageError('bad-base64', 'the message is neither JSON nor base64');
  return bytes.toString('utf8');
}

function withCurrentSpelling(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'blobUrl' in value) return value;
  const old = OLD_SPELLINGS.find((name) => name in value);
  return old === undefined ? value : { ...value, blobUrl: (value as Record<string, unknown>)[old] };
}
