import { createHash } from 'node:crypto';
import type { CameraCredential } from '@dachawatch/contracts';

/** What a camera wants to hear before it lets us in. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_CHALLENGES = 8;
/** `name=value` or `name="value"`. */
const PARAMETER = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** Reads the values of `WWW-Authenticate`. What cannot be read is left out. */
export function readChallenges(headers: readonly string[]): Challenge[] {
  // Several may stand in one header, behind commas: a scheme is a word that is followed by a parameter.
  return headers
    .flatMap((header) => header.split(/(?:^|,)\s*(?=[A-Za-z][\w-]*\s+[\w-]+\s*=)/))
    .filter((text) => text.trim() !== '')
    .slice(0, MAX_CHALLENGES)
    .map((text) => ({
      scheme: (/^\s*([A-Za-z][\w-]*)/.exec(text)?.[1] ?? '').toLowerCase(),
      parameters: new Map(
        [...text.matchAll(PARAMETER)].map(([, name = '', quoted, plain]) => [
          name.toLowerCase(),
          (quoted ?? plain ?? '').replaceAll(/\\(.)/g, '$1'),
        ]),
      ),
    }));
}

export interface LoginQuestion {
  readonly challenges: readonly Challenge[];
  readonly credential: CameraCredential;
  readonly method: string;
  readonly uri: string;
}

/** The value of `Authorization`, made as GStreamer's RTSP source makes it, so that what is accepted here is accepted
 *  there: digest before basic; of several digests the last; MD5, and neither `qop` nor `algorithm` (RFC 2069).
 *  @returns undefined when the camera offers nothing that it can answer */
export function authorize({ challenges, credential, method, uri }: LoginQuestion): string | undefined {
  const { username, password } = credential;
  const digests = challenges.filter(({ scheme }) => scheme === 'digest');
  const digest = digests.at(-1)?.parameters;
  if (digest && digests.some(({ parameters }) => isMd5(parameters))) {
    const realm = digest.get('realm') ?? '';
    const nonce = digest.get('nonce') ?? '';
    const opaque = digest.get('opaque');
    const response = md5(`${md5(`${username}:${realm}:${password}`)}:${nonce}:${md5(`${method}:${uri}`)}`);
    const start = `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}"`;
    return `${start}, response="${response}"${opaque === undefined ? '' : `, opaque="${opaque}"`}`;
  }
  if (digest || !challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** What a camera offers, for a person: `Digest SHA-256`. */
export const offered = (challenges: readonly Challenge[]): string =>
  [
    ...new Set(
      challenges.map(({ scheme, parameters }) =>
        scheme === 'digest' ? `Digest ${plain(parameters.get('algorithm') ?? 'MD5')}` : plain(scheme),
      ),
    ),
  ].join(' and ');

const plain = (text: string) => text.replaceAll(/[^\w-]/g, '').slice(0, 20);
const isMd5 = (parameters: Challenge['parameters']) =>
  (parameters.get('algorithm') ?? 'MD5').toUpperCase() === 'MD5';
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
