import { createHash, randomBytes } from 'node:crypto';
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

/** The challenges in the headers of an answer. */
export const challengesIn = (lines: readonly string[]): Challenge[] =>
  readChallenges(
    lines.flatMap((line) => {
      const value = /^www-authenticate:\s*(.*)$/i.exec(line)?.[1];
      return value === undefined ? [] : [value];
    }),
  );

/** The camera says that only its nonce was too old. */
export const isStale = (challenges: readonly Challenge[]): boolean =>
  challenges.some(({ parameters }) => parameters.get('stale')?.toLowerCase() === 'true');

export interface LoginQuestion {
  readonly challenges: readonly Challenge[];
  readonly credential: CameraCredential;
  readonly method: string;
  readonly uri: string;
}

/** The value of `Authorization`. MD5 and Basic are made as players make them, which is what cameras are tried with:
 *  digest before basic; of several digests the last, with MD5, and without `qop` and `algorithm` (RFC 2069). Where
 *  nothing else is offered, SHA-256, made as RFC 7616 wants it.
 *  @returns undefined when the camera offers nothing that can be answered */
export function authorize(question: LoginQuestion): string | undefined {
  const { challenges, credential } = question;
  const digests = challenges.filter(({ scheme }) => scheme === 'digest').map(({ parameters }) => parameters);
  const last = digests.at(-1);
  if (last && digests.some((parameters) => algorithmOf(parameters) === 'MD5'))
    return digest(question, last, undefined);
  const sha256 = digests.find((parameters) => algorithmOf(parameters) === 'SHA-256');
  if (sha256) return digest(question, sha256, 'SHA-256');
  if (last || !challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

/** Only SHA-256 will do. */
export const needsSha256 = (challenges: readonly Challenge[]): boolean => {
  const algorithms = challenges
    .filter(({ scheme }) => scheme === 'digest')
    .map(({ parameters }) => algorithmOf(parameters));
  return algorithms.includes('SHA-256') && !algorithms.includes('MD5');
};

function digest(
  { credential: { username, password }, method, uri }: LoginQuestion,
  parameters: Challenge['parameters'],
  algorithm: 'SHA-256' | undefined,
): string {
  const realm = parameters.get('realm') ?? '';
  const nonce = parameters.get('nonce') ?? '';
  const opaque = parameters.get('opaque');
  const hash = (text: string) =>
    createHash(algorithm === undefined ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const qop = /(?:^|[\s,])auth(?:$|[\s,])/.test(parameters.get('qop') ?? '') && algorithm !== undefined;
  const cnonce = randomBytes(8).toString('hex');
  const count = qop ? `:00000001:${cnonce}:auth` : '';
  const response = hash(
    `${hash(`${username}:${realm}:${password}`)}:${nonce}${count}:${hash(`${method}:${uri}`)}`,
  );
  return [
    `Digest username="${username}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(qop ? ['qop=auth', 'nc=00000001', `cnonce="${cnonce}"`] : []),
  ].join(', ');
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
const algorithmOf = (parameters: Challenge['parameters']) =>
  (parameters.get('algorithm') ?? 'MD5').toUpperCase();
