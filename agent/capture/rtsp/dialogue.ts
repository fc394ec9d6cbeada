import type { CameraCredential } from '@dachawatch/contracts';
import { type Absence, absenceOf, LOGIN_MISSING } from '../stream-error.ts';
import { USER_AGENT } from './client.ts';
import { headerOf, type RtspMessage } from './framer.ts';
import { authorize, type Challenge, challengesIn, isStale } from './login.ts';
import { statusAbsence, statusSentence } from './status.ts';

/** Why a stream is over. */
export interface StreamEnd {
  /** A sentence for a person, without its subject. */
  readonly what: string;
  readonly absence: Absence;
  /** The camera refused the login. */
  readonly refused: boolean;
}

export class Ended extends Error {
  readonly end: StreamEnd;
  constructor(what: string, { absence = absenceOf(what), refused = false }: Partial<StreamEnd> = {}) {
    super(what);
    this.end = { what, absence, refused };
  }
}

/** The camera answers with something else than 200. */
export const endedBy = (status: number, end: Partial<StreamEnd> = {}): Ended =>
  new Ended(statusSentence(status), { absence: statusAbsence(status), ...end });

export type Headers = Readonly<Record<string, string>>;

export interface RtspDialogue {
  /** Goes with each request from now on. */
  session: string | undefined;
  /** @throws Ended for every answer but 200 */
  ask(method: string, uri: string, headers?: Headers): Promise<RtspMessage>;
  /** Asks for something whose answer nobody waits for. */
  write(method: string, uri: string): void;
  keepAlive(uri: string): void;
  /** Takes what the camera says. */
  take(message: RtspMessage): void;
  /** The connection is closed.
   *  @returns what asks again over another one; undefined: that cannot be done */
  lost(): (() => void) | undefined;
}

const TRIES = 3;

/** What we ask a camera, one after the other, with our login where it wants one.
 *  Invariant: a login that is refused is not sent again. */
export function createDialogue(deps: {
  readonly credential: CameraCredential | null;
  send(text: string): void;
}): RtspDialogue {
  const { credential } = deps;
  let challenges: readonly Challenge[] = [];
  let sequence = 0;
  let session: string | undefined;
  let beatBy = 'GET_PARAMETER';
  /** Takes the next answer. */
  let takeAnswer: ((answer: RtspMessage) => void) | undefined;
  /** Asks again over another connection, if this one is closed instead of an answer. */
  let askAgain: (() => void) | undefined;

  function write(method: string, uri: string, headers: Headers): void {
    const login =
      credential && challenges.length > 0 ? authorize({ challenges, credential, method, uri }) : undefined;
    const lines = Object.entries({
      CSeq: String(++sequence),
      'User-Agent': USER_AGENT,
      ...(session === undefined ? {} : { Session: session }),
      ...(login === undefined ? {} : { Authorization: login }),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`);
    deps.send(`${[`${method} ${uri} RTSP/1.0`, ...lines].join('\r\n')}\r\n\r\n`);
  }

  async function exchange(method: string, uri: string, headers: Headers): Promise<RtspMessage> {
    const { promise, resolve } = Promise.withResolvers<RtspMessage>();
    takeAnswer = resolve;
    write(method, uri, headers);
    const answer = await promise;
    takeAnswer = undefined;
    askAgain = undefined;
    return answer;
  }

  async function ask(method: string, uri: string, headers: Headers = {}): Promise<RtspMessage> {
    for (let tries = 1; ; tries++) {
      const answered = challenges;
      const answer = await exchange(method, uri, headers);
      const status = statusOf(answer);
      if (status === 200) return answer;
      if (status !== 401) throw endedBy(status);
      if (!credential) throw new Ended(LOGIN_MISSING, { absence: 'refused' });
      challenges = challengesIn(answer.lines);
      const speakable = authorize({ challenges, credential, method, uri }) !== undefined;
      if (!speakable || !(isStale(challenges) ? tries < TRIES : tries === 1 && isNew(challenges, answered)))
        throw endedBy(401, { refused: true });
      // Some close the connection with the challenge; later there is a session that would be lost with it.
      if (session === undefined) askAgain = () => write(method, uri, headers);
    }
  }

  function take(message: RtspMessage): void {
    if (!message.start.startsWith('RTSP/')) return deps.send(answerTo(message));
    const status = statusOf(message);
    // 100, Continue.
    if (status < 200) return;
    if (takeAnswer) return takeAnswer(message);
    // What nobody waits for answers that which keeps the session alive.
    if (status === 401) challenges = challengesIn(message.lines);
    else if (status >= 400) beatBy = 'OPTIONS';
  }

  return {
    get session() {
      return session;
    },
    set session(id) {
      session = id;
    },
    ask,
    write: (method, uri) => write(method, uri, {}),
    keepAlive: (uri) => write(beatBy, uri, {}),
    take,
    lost: () => {
      const again = askAgain;
      askAgain = undefined;
      return again;
    },
  };
}

/** Some cameras ask whether we are still there. */
function answerTo(request: RtspMessage): string {
  const known = /^(?:OPTIONS|GET_PARAMETER|SET_PARAMETER) /.test(request.start);
  const status = known ? '200 OK' : '501 Not Implemented';
  return `RTSP/1.0 ${status}\r\nCSeq: ${headerOf(request, 'cseq') ?? 0}\r\n\r\n`;
}

const statusOf = ({ start }: RtspMessage): number => Number(/^RTSP\/\d\.\d (\d{3})/.exec(start)?.[1] ?? 0);
const noncesOf = (challenges: readonly Challenge[]) =>
  challenges.map(({ parameters }) => parameters.get('nonce')).join();
/** Whether it asks for something else than what the request was signed with. */
const isNew = (challenges: readonly Challenge[], answered: readonly Challenge[]): boolean =>
  answered.length === 0 || noncesOf(challenges) !== noncesOf(answered);
