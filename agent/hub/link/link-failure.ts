import { Failure } from '../../kernel/failure.ts';

/** Why a connection could not be made or ended. Stable codes:
 *  `hub.refused`: the hub knows us and says no (identity disabled, key wrong, our clock wrong) ·
 *  `hub.tls`: the other end cannot prove that it is the hub · `hub.store`: a message could not be stored ·
 *  `hub.unreachable`: no connection to anybody (`reach.ts`) · `hub.deadline`: no answer in time · `hub.network`: everything else. */
export function linkFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { text, code } = innermost(error);
  const fail = (failureCode: string, message: string) =>
    new Failure('transient', failureCode, message, { cause: error });
  if (code === 4 || code === 5 || REFUSED.test(text))
    return fail('hub.refused', `the hub refused us: ${text}`);
  if (TLS.test(`${code} ${text}`)) return fail('hub.tls', `the hub's certificate was not accepted: ${text}`);
  return fail('hub.network', text);
}

const REFUSED = /Connection refused: (Not authorized|Bad username)/;
const TLS = /certificate|self.signed|\bCERT_|altnames|UNABLE_TO_|ERR_TLS/i;

/** The SDK wraps "connection refused" and the like in an UnauthorizedError: what the transport said counts. It may
 *  also wrap an error in itself. */
function innermost(error: unknown): { text: string; code: string | number | undefined } {
  let inner: unknown = error;
  for (let depth = 0; depth < 5; depth += 1) {
    const { transportError, reason, transportObj, errors } = (inner ?? {}) as {
      transportError?: unknown;
      reason?: unknown;
      transportObj?: unknown;
      errors?: unknown;
    };
    const first = Array.isArray(errors) ? (errors as unknown[])[0] : undefined;
    const next = transportError ?? reason ?? transportObj ?? first;
    if (next === undefined || next === inner) break;
    inner = next;
  }
  if (!(inner instanceof Error))
    return { text: typeof inner === 'string' ? inner : 'the connection ended', code: undefined };
  const { code } = inner as { code?: unknown };
  const known = typeof code === 'string' || typeof code === 'number' ? code : undefined;
  return { text: inner.message || String(known ?? inner.name), code: known };
}
