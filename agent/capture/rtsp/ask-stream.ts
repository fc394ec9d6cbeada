import type { CameraCredential } from '@dachawatch/contracts';
import { type Absence, codecSentence, LOGIN_MISSING, NO_STREAM, type StreamName } from '../stream-error.ts';
import { ENCODINGS } from '../packing/codings.ts';
import { connectRtsp, type RtspAnswer, type RtspConnection } from './client.ts';
import { authorize, type Challenge, isStale, needsSha256, offered, readChallenges } from './login.ts';
import { pictureCodecs } from './sdp.ts';
import { statusAbsence, statusSentence } from './status.ts';

export interface AskedStream {
  readonly name: StreamName;
  readonly address: string;
  readonly credential: CameraCredential | undefined;
}

/** What a stream is found to be. Sentences are for a person, without their subject. */
export type StreamFinding =
  | {
      readonly kind: 'watchable';
      /** How the login went, like `Digest MD5`; undefined: the camera wanted none. */
      readonly loginBy: string | undefined;
    }
  /** The camera refused the login. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unwatchable'; readonly why: string; readonly absence: Absence };

const DESCRIBE = { Accept: 'application/sdp' } as const;

/** Asks a camera to describe a stream, over a connection of its own. A login is sent once; nothing is set up, and a
 *  redirection is not followed.
 *  @throws Failure transient `camera.rtsp`, in words for a person, when there is no answer */
export async function askStream(
  { name, address, credential }: AskedStream,
  signal: AbortSignal,
): Promise<StreamFinding> {
  const url = new URL(address);
  const unwatchable = (why: string, absence: Absence = 'unsupported'): StreamFinding => ({
    kind: 'unwatchable',
    why,
    absence,
  });
  let connection: RtspConnection = await connectRtsp(url, signal);
  try {
    let answer = await connection.ask('DESCRIBE', address, DESCRIBE);
    let sent: string | undefined;
    // Once with the login; once more only when the camera says that merely its nonce was too old.
    for (let tries = 0; answer.status === 401 && tries < 2; tries++) {
      const challenges = readChallenges(answer.headers('www-authenticate'));
      if (!credential) return unwatchable(LOGIN_MISSING, 'refused');
      if (sent !== undefined && !isStale(challenges)) return { kind: 'refused', why: refusal(challenges) };
      const question = { challenges, credential, method: 'DESCRIBE', uri: address };
      sent = authorize(question);
      if (sent === undefined) return unwatchable(unspeakable(challenges), 'refused');
      if (connection.isClosed()) connection = await connectRtsp(url, signal);
      answer = await connection.ask('DESCRIBE', address, { ...DESCRIBE, Authorization: sent });
    }
    // A camera that has locked us out may say 403.
    if (sent !== undefined && (answer.status === 401 || answer.status === 403))
      return { kind: 'refused', why: statusSentence(answer.status) };
    if (answer.status >= 300 && answer.status < 400) return unwatchable(moved(answer));
    if (answer.status !== 200)
      return unwatchable(statusSentence(answer.status), statusAbsence(answer.status));
    const codecs = pictureCodecs(answer.body);
    if (codecs === undefined) return unwatchable(NO_STREAM);
    const [other] = codecs;
    if (other !== undefined && !codecs.some(isPlayable)) return unwatchable(codecSentence(name, other));
    return { kind: 'watchable', loginBy: sent === undefined ? undefined : wayOf(sent) };
  } finally {
    connection.close();
  }
}

const isPlayable = (codec: string): boolean => (ENCODINGS as readonly string[]).includes(codec);

const wayOf = (authorization: string): string => {
  if (authorization.startsWith('Basic ')) return 'Basic';
  return /algorithm=SHA-256/.test(authorization) ? 'Digest SHA-256' : 'Digest MD5';
};

const MD5_HINT = 'choose Digest MD5 for RTSP in its settings';

/** Where a camera offers several ways in, the login may be right and the way wrong. */
const refusal = (challenges: readonly Challenge[]): string =>
  /SHA/i.test(offered(challenges)) && !needsSha256(challenges)
    ? `${statusSentence(401)}, or wants it by Digest SHA-256: then ${MD5_HINT}`
    : statusSentence(401);

const unspeakable = (challenges: readonly Challenge[]): string =>
  challenges.length === 0
    ? '401, the camera wants a login and does not say in which way'
    : `401, the camera takes a login only by ${offered(challenges)}, which we do not speak; ${MD5_HINT}`;

/** @returns where to, without a login that may be in it */
function moved(answer: RtspAnswer): string {
  const to = answer.headers('location')[0] ?? '';
  const where =
    URL.canParse(to) && /^rtsps?:\/\/[\x21-\x7e]{1,200}$/i.test(to)
      ? to.replace(/\/\/[^/]*@/, '//').replace(/\?.*$/s, '')
      : undefined;
  return `${statusSentence(answer.status)}${where === undefined ? '' : `: ${where}`}; if it is yours, configure that one`;
}
