/** What goes wrong with ONVIF, in words for a person. */
import { networkSentence } from '../../../../agent/capture/rtsp/client.ts';
import { statusSentence } from '../../../../agent/capture/rtsp/status.ts';
import { LOGIN_MISSING, NO_ANSWER } from '../../../../agent/capture/stream-error.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { inAddress } from '../host.ts';

export const NOT_ONVIF = 'what answers there does not speak ONVIF';

/** What the camera said last. */
export interface Said {
  readonly error: unknown;
  /** Of HTTP. */
  readonly status: number | undefined;
  readonly text: string;
}

const MAX_REASON = 160;

/** @returns Failure `onvif.login` the login is refused or missing · `onvif.fault` the camera says no, and why ·
 *    `onvif.strange` it says what is no ONVIF · `onvif.network` it says nothing */
export function failureOf(
  error: unknown,
  { status, text }: Said,
  { host, port }: { readonly host: string; readonly port: number },
): Failure {
  const cause = { cause: error };
  if (error instanceof Failure) {
    return error.code === 'onvif.deadline'
      ? new Failure('transient', 'onvif.network', NO_ANSWER, cause)
      : error;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (message === LOGIN_MISSING) return new Failure('rejected', 'onvif.login', LOGIN_MISSING, cause);
  if (status === 401 || /digest authentication/i.test(message) || /not\s?authorized|unauthorized/i.test(text))
    return new Failure('rejected', 'onvif.login', statusSentence(401), cause);
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED')
    return new Failure('transient', 'onvif.network', nothingAt(inAddress(host), port), cause);
  if (/^HPE_/.test(code ?? '')) return new Failure('rejected', 'onvif.strange', NOT_ONVIF, cause);
  if (code !== undefined)
    return new Failure('transient', 'onvif.network', networkSentence(error as NodeJS.ErrnoException), cause);
  if (message === 'Network timeout') return new Failure('transient', 'onvif.network', NO_ANSWER, cause);
  const reason = /^ONVIF SOAP Fault: ([^]*)/.exec(message)?.[1];
  if (reason === undefined) return new Failure('rejected', 'onvif.strange', NOT_ONVIF, cause);
  const said = reason
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trim()
    .slice(0, MAX_REASON);
  return new Failure('rejected', 'onvif.fault', `the camera says no: ${said || 'without a reason'}`, cause);
}

const nothingAt = (host: string, port: number) =>
  `no connection; ${host} is there, but nothing answers at port ${port}: ONVIF is switched off in the camera, or has another port (${host}:8000, ${host}:8080 and ${host}:8899 are usual)`;
