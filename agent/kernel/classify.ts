import { Failure, type FailureKind } from './failure.ts';

const ERRNO: Readonly<Record<string, FailureKind>> = {
  ENOSPC: 'exhausted',
  EDQUOT: 'exhausted',
  EMFILE: 'exhausted',
  ENFILE: 'exhausted',
  EROFS: 'exhausted',
  ECONNREFUSED: 'transient',
  ECONNRESET: 'transient',
  ECONNABORTED: 'transient',
  ETIMEDOUT: 'transient',
  EHOSTUNREACH: 'transient',
  ENETUNREACH: 'transient',
  ENETDOWN: 'transient',
  ENOTFOUND: 'transient',
  EAI_AGAIN: 'transient',
  EPIPE: 'transient',
  EIO: 'corrupt',
};

/** The one place where errors of sqlite, the system and HTTP become kinds.
 *  @param code prefix for the failure's stable code, like `upload.block` */
export function classify(error: unknown, code: string): Failure {
  if (error instanceof Failure) return error;
  const { code: errno, statusCode, message } = describe(error);
  const fail = (kind: FailureKind, detail: string) =>
    new Failure(kind, `${code}.${detail}`, `${code}: ${message}`, { cause: error });
  if (statusCode !== undefined) return fail(kindOfStatus(statusCode), `http-${statusCode}`);
  if (errno?.startsWith('SQLITE_')) return fail(kindOfSqlite(errno), errno.toLowerCase());
  if (errno && ERRNO[errno]) return fail(ERRNO[errno], errno.toLowerCase());
  if (isAbort(error)) return fail('transient', 'aborted');
  return fail('transient', 'unknown');
}

/** Answers that speak of the request itself. Others pass by themselves (408, 429, 5xx), with a new ticket or when the
 *  clock is right (401, 403), or come from something on the way (redirects, 405, 407, 418, 451 and the like). */
const SPEAKS_OF_THE_REQUEST = new Set([400, 404, 409, 412, 413, 422]);

function kindOfStatus(status: number): FailureKind {
  if (status === 507) return 'exhausted';
  return SPEAKS_OF_THE_REQUEST.has(status) ? 'rejected' : 'transient';
}

/** By the beginning of the code: SQLite appends details, as in SQLITE_IOERR_FSYNC. What is not here, like a broken
 *  constraint or wrong SQL, is a bug of ours. */
const SQLITE: readonly (readonly [string, FailureKind])[] = [
  ['SQLITE_FULL', 'exhausted'],
  ['SQLITE_READONLY', 'exhausted'],
  ['SQLITE_NOMEM', 'exhausted'],
  ['SQLITE_CORRUPT', 'corrupt'],
  ['SQLITE_NOTADB', 'corrupt'],
  ['SQLITE_BUSY', 'transient'],
  ['SQLITE_LOCKED', 'transient'],
  ['SQLITE_PROTOCOL', 'transient'],
  ['SQLITE_IOERR', 'transient'],
  ['SQLITE_CANTOPEN', 'transient'],
  ['SQLITE_PERM', 'transient'],
];

const kindOfSqlite = (code: string): FailureKind =>
  SQLITE.find(([beginning]) => code.startsWith(beginning))?.[1] ?? 'bug';

const isAbort = (error: unknown) =>
  error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');

function describe(error: unknown): { code?: string; statusCode?: number; message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, statusCode, response } = error as Error & {
    code?: unknown;
    statusCode?: unknown;
    response?: { statusCode?: unknown; status?: unknown };
  };
  const status = [statusCode, response?.statusCode, response?.status].find((v) => typeof v === 'number');
  return {
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'number' ? { statusCode: status } : {}),
  };
}
