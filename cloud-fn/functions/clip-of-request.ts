import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import type { ClipOfAnalysis } from '../orchestrators/clip-analysis-steps.ts';
import { clipOfBlob } from './clip-of-blob.ts';

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
  if (!URL.canParse(blobUrl) || !/^https?:$/.test(new URL(blobUrl).protocol))
    throw new BadRequest('blobURL must be an http or https address.');
  if (!pathOf(blobUrl).endsWith(`/${CONTAINER_CLIPS}/${blobName}`))
    throw new BadRequest(
      `blobURL must be the address of the blob blobName in the container ${CONTAINER_CLIPS}.`,
    );
  return clipOfBlob(blobName, blobUrl);
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

function pathOf(address: string): string {
  try {
    return decodeURIComponent(new URL(address).pathname);
  } catch {
    throw new BadRequest('blobURL is not encoded as an address must be.');
  }
}
