import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { type Answer, answerContent, problem } from '../answer.ts';
import { chooseLanguage } from '../language.ts';
import { isOwnPage } from './own-page.ts';
import { createLoginAttempts } from './login-attempts.ts';
import { LOGIN_CSS, type LoginNote, loginPage } from './login-page.ts';
import { isPassword, type KeptPassword } from './password.ts';
import { createSessions, SESSION_MS } from './sessions.ts';

/** Who may see the page, when others than this machine can reach it. */
export interface LoginGuard {
  /** Its own answer; undefined: this request may pass. */
  answer(request: IncomingMessage): Promise<Answer | undefined>;
}

/** `__Host-`: a browser takes it only from this host, over TLS, for all paths. */
const COOKIE = '__Host-dachawatch-session';
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';
const BODY_MAX_BYTES = 1_024;
/** What the login page itself needs, and what tells nothing. */
const OPEN_PATHS = new Set(['/icon.svg', '/healthz']);

/** Invariants
 *  1. Without an open session nothing of the appliance is told: pages lead to the login, all else is 401.
 *  2. A session begins only with the password, with a token of our own; one that a browser brought is never taken up.
 *  3. What changes something (login, logout) is taken only from our own page. */
export function createLoginGuard(deps: {
  /** @throws Failure when it cannot be read: then nobody enters */
  readonly password: () => KeptPassword | undefined;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
}): LoginGuard {
  const { password, log } = deps;
  const sessions = createSessions(deps.clock);
  const attempts = createLoginAttempts(deps.clock);

  function isLoggedIn(request: IncomingMessage): boolean {
    const kept = password();
    return kept !== undefined && tokensOf(request).some((token) => sessions.isOpen(token, kept.id));
  }

  async function logIn(request: IncomingMessage): Promise<Answer> {
    const typed = await passwordIn(request);
    if (typed === undefined)
      return problem(400, 'login', 'A login is a form with the field "password", of at most 1,024 bytes.', {
        // What is left of the body is not waited for.
        Connection: 'close',
      });
    const kept = password();
    if (!kept) return asks(request, 403, { kind: 'wrong' });
    const address = request.socket.remoteAddress ?? '';
    const tried = await attempts.attempt(address, () => isPassword(typed, kept));
    if (typeof tried !== 'boolean') return asks(request, 429, { kind: 'wait', waitMs: tried.waitMs });
    if (!tried) {
      log.warn({ event: 'dashboard.login-refused', address }, 'a wrong password for the page');
      return asks(request, 403, { kind: 'wrong' });
    }
    for (const token of tokensOf(request)) sessions.end(token);
    const token = sessions.begin(kept.id);
    log.info({ event: 'dashboard.login', address }, 'somebody logged in to the page');
    const maxAge = `Max-Age=${SESSION_MS.longest / 1000}`;
    return seeOther('/', { 'Set-Cookie': `${COOKIE}=${token}; ${maxAge}; ${ATTRIBUTES}` });
  }

  function logOut(request: IncomingMessage): Answer {
    for (const token of tokensOf(request)) sessions.end(token);
    return seeOther('/login', { 'Set-Cookie': `${COOKIE}=; Max-Age=0; ${ATTRIBUTES}` });
  }

  return {
    answer: async (request) => {
      const [path = '/'] = (request.url ?? '/').split('?');
      if (request.method === 'POST' && (path === '/login' || path === '/logout')) {
        if (!isOwnPage(request.headers))
          return problem(403, 'other-page', 'This was sent by another page, and nothing was done.');
        return path === '/login' ? await logIn(request) : logOut(request);
      }
      if (OPEN_PATHS.has(path)) return undefined;
      if (path === '/login.css') return answerContent(LOGIN_CSS, tagsOf(request));
      if (path === '/login') return isLoggedIn(request) ? seeOther('/') : asks(request, 200);
      if (isLoggedIn(request)) return undefined;
      return path === '/' ? seeOther('/login') : problem(401, 'login', 'Log in first: open the page anew.');
    },
  };
}

const asks = (request: IncomingMessage, status: number, note?: LoginNote): Answer =>
  loginPage(chooseLanguage(request.headers.cookie, request.headers['accept-language']), status, note);

const tagsOf = ({ headers }: IncomingMessage) => ({
  ifNoneMatch: headers['if-none-match'],
  acceptEncoding: headers['accept-encoding']?.toString(),
});

const seeOther = (place: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 303,
  headers: { Location: place, 'Cache-Control': 'no-store', ...headers },
  body: Buffer.alloc(0),
});

/** A browser sends one; whoever sends many gets a few of them looked at. */
const TOKENS_LOOKED_AT = 4;

const tokensOf = ({ headers }: IncomingMessage): string[] =>
  (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${COOKIE}=`))
    .slice(0, TOKENS_LOOKED_AT)
    .map((pair) => pair.slice(COOKIE.length + 1));

/** @returns undefined when there is none, or the body is too large or was cut off */
async function passwordIn(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_MAX_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > BODY_MAX_BYTES) return undefined;
      chunks.push(chunk);
    }
  } catch {
    // The sender is gone, and with it who would hear of it.
    return undefined;
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8')).get('password') ?? undefined;
}
