import { Failure } from '../../kernel/failure.ts';
import type { LoginPatience, LoginTry } from './login-patience.ts';
import { askStream, type AskedStream } from '../rtsp/ask-stream.ts';
import { statusSentence } from '../rtsp/status.ts';
import { type Absence, absenceOf, describe, LOGIN_MISSING, type StreamName } from '../stream-error.ts';

/** Why a camera cannot be watched now. */
export interface Unwatchable {
  /** One sentence for a person. */
  readonly detail: string;
  readonly absence: Absence;
  /** It must be left alone for so long. Absent: as for any other failure. Milliseconds. */
  readonly waitMs?: number;
}

export interface CameraProbe {
  /** Asks the camera for both streams, main first, before anything is started. Never rejects.
   *  @returns undefined: both can be had, as far as it says */
  ask(
    cameraId: string,
    streams: readonly AskedStream[],
    signal: AbortSignal,
  ): Promise<Unwatchable | undefined>;
  /** The login was refused later, by a running capture process. */
  refused(cameraId: string, stream: AskedStream): Unwatchable;
}

/** Asks before a capture process is forked, because cameras lock out after five wrong logins: here a login is sent once,
 *  and the second stream follows when the first was let in.
 *  Invariants
 *  1. A login that the camera refused is not sent again before its wait is over (login-patience.ts).
 *  2. Nothing is set up at the camera: it is only asked to describe the stream, and the connection is closed.
 *  3. A redirection is not followed: the login goes nowhere else than where a person sent it. */
export function createCameraProbe({
  patience,
  answerMs,
}: {
  readonly patience: LoginPatience;
  /** Longest that one stream may take. */
  readonly answerMs: number;
}): CameraProbe {
  const held = (cameraId: string, { name, address, credential }: AskedStream): Unwatchable | undefined => {
    const waitMs = credential ? patience.holdMs({ address, credential }) : 0;
    return waitMs > 0
      ? {
          detail: patienceSentence(cameraId, name, statusSentence(401), waitMs),
          absence: 'refused',
          waitMs,
        }
      : undefined;
  };

  async function askInTurn(
    cameraId: string,
    stream: AskedStream,
    signal: AbortSignal,
  ): Promise<Unwatchable | undefined> {
    const { name, address, credential } = stream;
    let turn: Awaited<ReturnType<LoginPatience['turn']>> | undefined;
    try {
      if (credential) turn = await patience.turn({ address, credential }, signal);
      // The camera before us may have learnt it.
      const hold = held(cameraId, stream);
      if (hold) return hold;
      const finding = await askStream(stream, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
      if (finding.kind === 'unwatchable')
        return { detail: describe(cameraId, name, finding.why), absence: finding.absence };
      if (!credential) return undefined;
      const login: LoginTry = { address, credential };
      if (finding.kind === 'refused') {
        const waitMs = patience.refused(login);
        return {
          detail: patienceSentence(cameraId, name, finding.why, waitMs),
          absence: 'refused',
          waitMs,
        };
      }
      if (finding.loginBy !== undefined) patience.accepted(login);
      return undefined;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { detail: describe(cameraId, name, error.message), absence: absenceOf(error.message) };
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
      const proven = ({ address, credential }: AskedStream) =>
        !credential || patience.isProven({ address, credential });
      if (streams.every(proven)) {
        const found = await Promise.all(streams.map((stream) => askInTurn(cameraId, stream, signal)));
        return found.find((one) => one !== undefined);
      }
      for (const stream of streams) {
        const found = await askInTurn(cameraId, stream, signal);
        if (found) return found;
      }
      return undefined;
    },
    refused: (cameraId, { name, address, credential }) => {
      if (!credential) return { detail: describe(cameraId, name, LOGIN_MISSING), absence: 'refused' };
      const waitMs = patience.refused({ address, credential });
      return {
        detail: patienceSentence(cameraId, name, statusSentence(401), waitMs),
        absence: 'refused',
        waitMs,
      };
    },
  };
}

const patienceSentence = (cameraId: string, name: StreamName, why: string, waitMs: number): string => {
  const minutes = Math.round(waitMs / 60_000);
  const wait = minutes > 0 ? `${minutes} min` : `${Math.ceil(waitMs / 1000)} s`;
  return describe(cameraId, name, `${why}; tried again after ${wait}, so that it does not lock us out`);
};
