import { createHash } from 'node:crypto';

export type LoginScheme = 'basic' | 'md5' | 'sha-256';
/** none: it came without a login. */
export type LoginVerdict = 'none' | 'right' | 'wrong';

const REALM = 'camera login';

/** What a camera wants to hear, a header for each scheme. */
export const challenges = (schemes: readonly LoginScheme[], nonce: string): string[] =>
  schemes.map((scheme) => {
    if (scheme === 'basic') return `WWW-Authenticate: Basic realm="${REALM}"`;
    // Cameras that know MD5 only do not name it.
    const algorithm = scheme === 'sha-256' ? ', algorithm=SHA-256, qop="auth"' : '';
    return `WWW-Authenticate: Digest realm="${REALM}", nonce="${nonce}"${algorithm}`;
  });

/** As a camera judges a login: only by the schemes that it offers. */
export function judgeLogin(question: {
  readonly login: { readonly username: string; readonly password: string };
  readonly schemes: readonly LoginScheme[];
  readonly nonce: string;
  readonly method: string;
  readonly authorization: string | undefined;
}): LoginVerdict {
  const { login, schemes, nonce, method, authorization } = question;
  if (authorization === undefined) return 'none';
  const { username, password } = login;
  const basic = /^Basic (\S+)$/i.exec(authorization)?.[1];
  if (basic !== undefined) {
    const said = Buffer.from(basic, 'base64').toString();
    return schemes.includes('basic') && said === `${username}:${password}` ? 'right' : 'wrong';
  }
  const said = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(authorization)?.[1] ?? '';
  const named = /\balgorithm="?([\w-]+)/i.exec(authorization)?.[1]?.toLowerCase() ?? 'md5';
  if (!schemes.includes(named as LoginScheme) || said('nonce') !== nonce) return 'wrong';
  const hash = (text: string) =>
    createHash(named === 'md5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const count = /\bnc=(\w+)/.exec(authorization)?.[1];
  const quality = count === undefined ? '' : `:${count}:${said('cnonce')}:auth`;
  const expected = hash(
    `${hash(`${username}:${REALM}:${password}`)}:${nonce}${quality}:${hash(`${method}:${said('uri')}`)}`,
  );
  return said('username') === username && said('response') === expected ? 'right' : 'wrong';
}
