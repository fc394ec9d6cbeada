/** What a camera's address holds. */
export interface CameraAddress {
  /** Without a login, ready for `main` and `sub`. */
  readonly address: string;
  /** As it stood in the address, decoded. */
  readonly login?: {
    readonly username: string;
    /** Undefined: the address names only a user. */
    readonly password: string | undefined;
  };
}

export type ReadAddress = CameraAddress | { readonly problem: string };

const MAX_LENGTH = 1024;
const LOGIN_HINT = 'in the login of an address it is written';
/** Characters that end the login too early, and what to write. */
const ENDS_LOGIN: Readonly<Record<string, string>> = { '/': '%2F', '?': '%3F', '#': '%23' };

/** Reads the address of a camera, `rtsp://[user:password@]host[:port]/path`, as a person wrote it.
 *  @returns its parts; or what is wrong, to stand behind "the address": never a part of the address itself, which may
 *    be a password */
export function readCameraAddress(text: string): ReadAddress {
  const problem = (what: string) => ({ problem: what });
  const scheme = /^(rtsps?):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return problem('does not begin with rtsp:// or rtsps://');
  if (text.length > MAX_LENGTH) return problem(`is longer than ${MAX_LENGTH} characters`);
  const odd = oddCharacter(text);
  if (odd !== undefined) return problem(odd);
  const rest = text.slice(scheme.length + 3);
  const [authority = ''] = rest.split(/[/?#]/, 1);
  const path = rest.slice(authority.length);
  const at = authority.lastIndexOf('@');
  if (path.includes('@')) {
    const ender = path.charAt(0);
    return problem(
      at < 0 && authority.includes(':')
        ? `holds a ${ender} before an @: ${LOGIN_HINT} ${ENDS_LOGIN[ender]}`
        : 'holds an @ behind the host: there it is written %40',
    );
  }
  if (authority.indexOf('@') !== at) return problem(`holds more than one @: ${LOGIN_HINT} %40`);
  if (/%(?![0-9a-f]{2})/i.test(rest))
    return problem(
      `holds a % that begins no code of two digits: ${at < 0 ? 'it is written' : LOGIN_HINT} %25`,
    );
  if (path.includes('#')) return problem('holds a #: it is written %23');
  const login = at < 0 ? undefined : readLogin(authority.slice(0, at));
  if (login && 'problem' in login) return login;
  const host = authority.slice(at + 1);
  const wrong = hostProblem(host);
  if (wrong !== undefined) return problem(wrong);
  const address = `${scheme}://${host}${path}`;
  if (!URL.canParse(address)) return problem('cannot be read');
  return login ? { address, login } : { address };
}

function oddCharacter(text: string): string | undefined {
  if (/\s/.test(text)) return 'holds a space or a line break: a space is written %20';
  if (text.includes('"')) return 'holds a quotation mark: it is written %22';
  if (/\p{Cc}/u.test(text)) return 'holds a character that cannot be printed';
  const foreign = /[^\x21-\x7e]/u.exec(text)?.[0];
  if (foreign === undefined) return undefined;
  if (/[\ud800-\udfff]/.test(foreign)) return 'holds a broken character';
  return 'holds a letter outside A to Z: such letters are written as % codes, like %C3%A9 for é';
}

function readLogin(text: string): Required<CameraAddress>['login'] | { readonly problem: string } {
  const colon = text.indexOf(':');
  const parts = colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
  try {
    const [username = '', password] = parts.map((part) => decodeURIComponent(part));
    if (username === '') return { problem: 'names no user before the @' };
    if (/\p{Cc}/u.test(`${username}${password ?? ''}`))
      return { problem: 'has a login with a character that cannot be printed' };
    return { username, password };
  } catch {
    return { problem: 'has a login with % codes that stand for no letter: a % itself is written %25' };
  }
}

function hostProblem(authority: string): string | undefined {
  const colon = authority.lastIndexOf(':');
  const bracket = authority.lastIndexOf(']');
  const host = colon > bracket ? authority.slice(0, colon) : authority;
  const port = colon > bracket ? authority.slice(colon + 1) : undefined;
  if (host === '') return 'names no host';
  if (bracket < 0 && host.includes(':'))
    return 'has more than one : in its host: an IPv6 address is written in brackets, like [fd00::20]';
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    return 'has a port that is no number from 1 to 65535';
  if (host.startsWith('['))
    return URL.canParse(`http://${host}/`) ? undefined : 'has no IPv6 address in its brackets';
  if (/[^A-Za-z0-9._-]/.test(host)) return 'has a host with a character that host names do not have';
  const numeric = /^[\d.]+$/.test(host);
  const right = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(host);
  return numeric && !right ? 'has a host that is no IPv4 address: four numbers from 0 to 255' : undefined;
}
