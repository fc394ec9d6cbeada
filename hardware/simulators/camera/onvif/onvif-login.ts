import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { textOf } from './soap.ts';

export interface OnvifLogin {
  readonly username: string;
  readonly password: string;
}

/** none: it came without a login · stale: signed for another time than the camera's. */
export type OnvifVerdict = 'none' | 'right' | 'wrong' | 'stale';

/** Signed further from the camera's own time than this, a request may be a repeated one. */
const WINDOW_MS = 30_000;
const REALM = 'onvif camera';

/** Judges the UsernameToken of a message (WS-Security UsernameToken Profile 1.0), digest only, as cameras do. */
export function judgeToken(xml: string, login: OnvifLogin, cameraMs: number): OnvifVerdict {
  const given = textOf(xml, 'Username');
  if (given === undefined) return 'none';
  const created = textOf(xml, 'Created') ?? '';
  const nonce = Buffer.from(textOf(xml, 'Nonce') ?? '', 'base64');
  const digest = createHash('sha1')
    .update(Buffer.concat([nonce, Buffer.from(created), Buffer.from(login.password)]))
    .digest('base64');
  if (given !== login.username || textOf(xml, 'Password') !== digest) return 'wrong';
  return Math.abs(Date.parse(created) - cameraMs) <= WINDOW_MS ? 'right' : 'stale';
}

export const newNonce = (): string => randomBytes(8).toString('hex');
export const digestChallenge = (nonce: string): string =>
  `Digest realm="${REALM}", qop="auth", nonce="${nonce}", algorithm=MD5`;

/** Judges HTTP Digest (RFC 7616, MD5, qop auth). */
export function judgeDigest(
  headers: IncomingHttpHeaders,
  question: {
    readonly method: string;
    readonly path: string;
    readonly nonce: string;
    readonly login: OnvifLogin;
  },
): OnvifVerdict {
  const { authorization } = headers;
  if (authorization === undefined) return 'none';
  const { method, path, nonce, login } = question;
  const said = (name: string) => new RegExp(`\\b${name}="?([^",]*)`).exec(authorization)?.[1] ?? '';
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const expected = md5(
    `${md5(`${login.username}:${REALM}:${login.password}`)}:${nonce}:${said('nc')}:${said('cnonce')}:auth:${md5(`${method}:${path}`)}`,
  );
  const isRight =
    said('username') === login.username && said('nonce') === nonce && said('response') === expected;
  return isRight ? 'right' : 'wrong';
}
