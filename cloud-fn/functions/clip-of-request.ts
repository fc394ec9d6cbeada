import { cleanText, CONTAINER_CLIPS } from '@dachawatch/contracts';
import type { ClipOfAnalysis } from '../orchestrators/clip-analysis-steps.ts';
import { addressOfBlob, clipOfBlob } from './clip-of-blob.ts';

/** A request body nobody can start anything with. One sentence for the person who sent it. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

const MAX_BODY_CHARS = 16_384;
const MAX_BLOB_NAME_CHARS = 1_024;
/** How the parts of the original system spelled the two fields. */
const URL_FIELDS = ['blobUrl', 'blobURL', 'bloburl', 'Url'] as const;
const NAME_FIELDS = ['blobName', 'name'] as const;

/** The clip a manual start asks for: `{blobURL, blobName}`; the name with the container in front, or without.
 *  @throws BadRequest */
export function clipOfRequest(body: string): ClipOfAnalysis {
  if (body.length > MAX_BODY_CHARS)
    throw new BadRequest(`The body is longer than ${MAX_BODY_CHARS} characters.`);
  const fields = objectOf(body);
  const blobUrl = textOf(fields, URL_FIELDS, 'blobURL');
  const blobName = withoutContainer(textOf(fields, NAME_FIELDS, 'blobName'));
  if (blobName === '' || blobName.length > MAX_BLOB_NAME_CHARS)
    throw new BadRequest(`blobName must name a blob, in at most ${MAX_BLOB_NAME_CHARS} characters.`);
  if (cleanText(blobName) !== blobName || blobName.split('/').some((part) => part === '.' || part === '..'))
    throw new BadRequest('blobName has characters, or . or .. as a part, that no address can carry.');
  if (!URL.canParse(blobUrl) || !/^https?:$/.test(new URL(blobUrl).protocol))
    throw new BadRequest('blobURL must be an http or https address.');
  const address = addressOfBlob(blobUrl, blobName);
  if (address === undefined || !namesIn(blobUrl).includes(blobName))
    throw new BadRequest(
      `blobURL must be the address of the blob blobName in the container ${CONTAINER_CLIPS}.`,
    );
  return clipOfBlob(blobName, address);
}

function objectOf(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadRequest(
      'The body must be a JSON object like {"blobURL": "https://…", "blobName": "dacha-video/…"}.',
    );
  return value as Record<string, unknown>;
}

function textOf(fields: Record<string, unknown>, names: readonly string[], shown: string): string {
  const value = names.map((name) => fields[name]).find((candidate) => candidate !== undefined);
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  throw new BadRequest(`${shown} is missing or not a text.`);
}

const withoutContainer = (name: string) =>
  name.startsWith(`${CONTAINER_CLIPS}/`) ? name.slice(CONTAINER_CLIPS.length + 1) : name;

/** Every name that an address can mean: `#` and `?` may be part of it, or begin what is none.
 *  @throws BadRequest when it cannot be decoded */
function namesIn(address: string): string[] {
  const rest = address.slice(address.indexOf(`/${CONTAINER_CLIPS}/`) + CONTAINER_CLIPS.length + 2);
  const ends = [rest.length, rest.indexOf('?'), rest.lastIndexOf('?'), rest.search(/[?#]/)];
  return ends.filter((end) => end >= 0).flatMap((end) => [rest.slice(0, end), decoded(rest.slice(0, end))]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadRequest('blobURL is not encoded as an address must be.');
  }
}
