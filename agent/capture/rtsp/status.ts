import type { Absence } from '../stream-error.ts';

/** Status codes of RTSP (RFC 2326 and 7826, chapter on status codes) in words for the person at the camera. */
const WORDS: Readonly<Record<number, string>> = {
  400: 'the camera does not understand the question',
  401: 'the camera refuses the login',
  402: 'the camera wants to be paid',
  403: 'the login may not see this stream',
  404: 'the camera has no stream at this address',
  405: 'the camera does not allow this stream to be watched',
  406: 'the camera has nothing that can be watched at this address',
  407: 'a proxy before the camera wants a login',
  408: 'the camera waited too long for us',
  410: 'the stream is gone from this address',
  414: 'the address is too long for the camera',
  415: 'the camera has nothing that can be watched at this address',
  451: 'the camera does not understand the address',
  453: 'the camera has too many viewers',
  454: 'the camera forgot the session',
  455: 'the camera is not ready for this',
  461: 'the camera does not send over TCP; allow RTSP over TCP in its settings',
  500: 'the camera has an error of its own; restart it if this stays',
  501: 'the camera cannot do this',
  503: 'the camera is too busy',
  504: 'what stands before the camera gets no answer from it',
  505: 'the camera speaks another version of RTSP',
  551: 'the camera cannot do this',
};

/** `404, the camera has no stream at this address`. Any three digits have a sentence. */
export const statusSentence = (status: number): string => `${status}, ${WORDS[status] ?? general(status)}`;

/** The camera has something at this address, or elsewhere, that we cannot ask for or take. */
const CANNOT: ReadonlySet<number> = new Set([400, 404, 406, 410, 414, 415, 451, 461, 501, 505, 551]);

/** What a camera that answers so is: one that has nothing for us, or that lets us not in. */
export const statusAbsence = (status: number): Absence =>
  status < 400 || CANNOT.has(status) ? 'unsupported' : 'refused';

function general(status: number): string {
  if (status >= 300 && status < 400) return 'the camera says that the stream is at another address';
  return status >= 500 ? 'the camera has an error of its own' : 'the camera refuses';
}
