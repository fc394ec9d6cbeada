import type { CameraCredential } from '@dachawatch/contracts';
import { Failure } from '../../kernel/failure.ts';
import type { LoginPatience, LoginTry } from './login-patience.ts';
import { connectRtsp, type RtspAnswer, type RtspConnection } from '../rtsp/client.ts';
import { authorize, type Challenge, isStale, needsSha256, offered, readChallenges } from '../rtsp/login.ts';
import { statusSentence } from '../rtsp/status.ts';
import { pictureCodecs } from '../rtsp/sdp.ts';
import { describe, describeCodec, LOGIN_MISSING, NO_STREAM, type StreamName } from '../stream-error.ts';

export interface DoorStream {
  readonly name: StreamName;
  readonly address: string;
  readonly credential: CameraCredential | undefined;
}

/** Why a camera cannot be watched now. */
export interface ClosedDoor {
  /** One sentence for a person. */
  readonly detail: string;
  /** It must be left alone for so long. Absent: as for any other failure. Milliseconds. */
  readonly waitMs?: number;
}

export interface CameraDoor {
  /** Asks the camera for both streams, main first, before anything is started. Never rejects.
   *  @returns undefined: both can be had, as far as it says */
  ask(cameraId: string, streams: readonly DoorStream[], signal: AbortSignal): Promise<ClosedDoor | undefined>;
  /** The login was refused later, by a running capture process. */
  refused(cameraId: string, stream: DoorStream): ClosedDoor;
}

/** What a stream is found to be. */
type Finding =
  | { readonly kind: 'open'; readonly loggedIn: boolean }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'closed'; readonly detail: string };

const DESCRIBE = { Accept: 'application/sdp' } as const;

/** Asks before a capture process is forked, because cameras lock out after five wrong logins: here a login is sent once,
 *  and the second stream follows when the first was let in.
 *  Invariants
 *  1. A login that the camera refused is not sent again before its wait is over (login-patience.ts).
 *  2. Nothing is set up at the camera: it is only asked to describe the stream, and the connection is closed.
 *  3. A redirection is not followed: the login goes nowhere else than where a person sent it. */
export function createCameraDoor({
  patience,
  answerMs,
}: {
  readonly patience: LoginPatience;
  /** Longest that one stream may take. */
  readonly answerMs: number;
}): CameraDoor {
  const held = (cameraId: string, { name, address, credential }: DoorStream): ClosedDoor | undefined => {
    const waitMs = credential ? patience.holdMs({ address, credential }) : 0;
    return waitMs > 0
      ? { detail: patienceSentence(cameraId, name, statusSentence(401), waitMs), waitMs }
      : undefined;
  };

  async function askStream(
    cameraId: string,
    stream: DoorStream,
    signal: AbortSignal,
  ): Promise<ClosedDoor | undefined> {
    const { name, address, credential } = stream;
    let turn: Awaited<ReturnType<LoginPatience['turn']>> | undefined;
    try {
      if (credential) turn = await patience.turn({ address, credential }, signal);
      // The camera before us may have learnt it.
      const hold = held(cameraId, stream);
      if (hold) return hold;
      const finding = await find(cameraId, stream, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
      if (finding.kind === 'closed') return { detail: finding.detail };
      if (!credential) return undefined;
      const login: LoginTry = { address, credential };
      if (finding.kind === 'refused') {
        const waitMs = patience.refused(login);
        return { detail: patienceSentence(cameraId, name, finding.why, waitMs), waitMs };
      }
      if (finding.loggedIn) patience.accepted(login);
      return undefined;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { detail: describe(cameraId, name, error.message) };
    } finally {
      turn?.done();
    }
  }

  return {
    ask: async (cameraId, streams, signal) => {
      for (const stream of streams) {
        const hold = held(cameraId, stream);
        if (hold) return hold;
      }
      const proven = ({ address, credential }: DoorStream) =>
        !credential || patience.isProven({ address, credential });
      if (streams.every(proven)) {
        const found = await Promise.all(streams.map((stream) => askStream(cameraId, stream, signal)));
        return found.find((one) => one !== undefined);
      }
      for (const stream of streams) {
        const closed = await askStream(cameraId, stream, signal);
        if (closed) return closed;
      }
      return undefined;
    },
    refused: (cameraId, { name, address, credential }) => {
      if (!credential) return { detail: describe(cameraId, name, LOGIN_MISSING) };
      const waitMs = patience.refused({ address, credential });
      return { detail: patienceSentence(cameraId, name, statusSentence(401), waitMs), waitMs };
    },
  };
}

const patienceSentence = (cameraId: string, name: StreamName, why: string, waitMs: number): string => {
  const minutes = Math.round(waitMs / 60_000);
  const wait = minutes > 0 ? `${minutes} min` : `${Math.ceil(waitMs / 1000)} s`;
  return describe(cameraId, name, `${why}; tried again after ${wait}, so that it does not lock us out`);
};

async function find(
  cameraId: string,
  { name, address, credential }: DoorStream,
  signal: AbortSignal,
): Promise<Finding> {
  const url = new URL(address);
  const closed = (what: string): Finding => ({ kind: 'closed', detail: describe(cameraId, name, what) });
  let connection: RtspConnection = await connectRtsp(url, signal);
  try {
    let answer = await connection.ask('DESCRIBE', address, DESCRIBE);
    let sent = false;
    // Once with the login; once more only when the camera says that merely its nonce was too old.
    for (let tries = 0; answer.status === 401 && tries < 2; tries++) {
      const challenges = readChallenges(answer.headers('www-authenticate'));
      if (!credential) return closed(LOGIN_MISSING);
      if (sent && !isStale(challenges)) return { kind: 'refused', why: refusal(challenges) };
      const question = { challenges, credential, method: 'DESCRIBE', uri: address };
      const authorization = authorize(question);
      if (authorization === undefined) return closed(unspeakable(challenges));
      if (connection.isClosed()) connection = await connectRtsp(url, signal);
      answer = await connection.ask('DESCRIBE', address, { ...DESCRIBE, Authorization: authorization });
      sent = true;
    }
    // A camera that has locked us out may say 403.
    if (sent && (answer.status === 401 || answer.status === 403))
      return { kind: 'refused', why: statusSentence(answer.status) };
    if (answer.status >= 300 && answer.status < 400) return closed(moved(answer));
    if (answer.status !== 200) return closed(statusSentence(answer.status));
    const codecs = pictureCodecs(answer.body);
    if (codecs === undefined) return closed(NO_STREAM);
    const [other] = codecs;
    if (other !== undefined && !codecs.includes('H264'))
      return { kind: 'closed', detail: describeCodec(cameraId, name, other) };
    return { kind: 'open', loggedIn: sent };
  } finally {
    connection.close();
  }
}

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
