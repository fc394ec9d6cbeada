/** One ONVIF camera, asked one thing after the other. */
import { createHash, randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import type { CameraCredential } from '@dachawatch/contracts';
import onvif from 'onvif';
import { LOGIN_MISSING } from '../../../../agent/capture/stream-error.ts';
import { Failure } from '../../../../agent/kernel/failure.ts';
import { orAborted, withDeadline } from '../../../../agent/kernel/waiting/deadline.ts';
import { failureOf, NOT_ONVIF, type Said } from './failures.ts';
import { escapeXml } from './xml.ts';

export interface OnvifPlace {
  readonly host: string;
  readonly port: number;
  /** Of the device service. */
  readonly path: string;
}

export type OnvifCam = InstanceType<typeof onvif.Cam>;

export interface OnvifSession {
  /** The camera's time minus ours, milliseconds; null: it does not say its time. */
  readonly clockMs: number | null;
  readonly cam: OnvifCam;
  /** Asks the camera with the login, if there is one.
   *  @throws Failure transient or rejected, in words for a person */
  readonly ask: <T>(
    question: (cam: OnvifCam, done: (error: unknown, value: T) => void) => void,
  ) => Promise<T>;
  /** What became of the first message of the last question, whatever the package makes of it, and of those that it sent
   *  behind it. */
  first(): Said | undefined;
  close(): void;
}

export const DEFAULT_PATH = '/onvif/device_service';
const ANSWER_MS = 5_000;
const MAX_BYTES = 4 * 1024 * 1024;
const LOOK_MS = 100;
const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss';

/** Signs each message for the camera's own time: cameras forget theirs when they lose power, and refuse what is signed
 *  for another. In place of the package's header, which takes no letters outside ASCII in a password, and writes the
 *  user into the message as it is. */
class SignedCam extends onvif.Cam {
  said: Said = { error: undefined, status: undefined, text: '' };
  first: Said | undefined;
  /** The camera's time, Unix milliseconds. */
  deviceMs: () => number = Date.now;
  credential: CameraCredential | undefined;

  override _envelopeHeader(isOpen = false): string {
    const head = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>${this.#token()}`;
    return isOpen ? head : `${head}</s:Header><s:Body>`;
  }

  #token(): string {
    if (!this.credential) return '';
    const { username, password } = this.credential;
    const created = new Date(this.deviceMs()).toISOString();
    const nonce = randomBytes(16);
    const digest = createHash('sha1').update(nonce).update(created).update(password, 'utf8').digest('base64');
    return [
      `<Security s:mustUnderstand="1" xmlns="${WSSE}-wssecurity-secext-1.0.xsd"><UsernameToken>`,
      `<Username>${escapeXml(username)}</Username>`,
      `<Password Type="${WSSE}-username-token-profile-1.0#PasswordDigest">${digest}</Password>`,
      `<Nonce EncodingType="${WSSE}-soap-message-security-1.0#Base64Binary">${nonce.toString('base64')}</Nonce>`,
      `<Created xmlns="${WSSE}-wssecurity-utility-1.0.xsd">${created}</Created>`,
      '</UsernameToken></Security>',
    ].join('');
  }

  /** Remembers what went wrong, which some functions of the package replace by a sentence of their own; and gives them
   *  something to look into when nothing came, which they do without asking. */
  override _request(
    question: object,
    done: (error: unknown, data: unknown, xml?: string, status?: number) => void,
  ): void {
    super._request(question, (error, data, xml, status) => {
      this.said = { error: error ?? undefined, status, text: xml ?? '' };
      this.first ??= this.said;
      done.call(this, error, data || [{}], xml, status);
    });
  }

  /** Without a login it would answer for a user "undefined", and the camera count that as a wrong login. */
  override digestAuth(challenges: readonly string[], request: object): string {
    if (!this.credential) throw new Error(LOGIN_MISSING);
    return super.digestAuth(challenges, request);
  }
}

/** Asks a camera for its time and its services, without a login, which every camera allows.
 *  Invariants
 *  1. One connection at a time. Each answer takes at most 5 s and 4 MB.
 *  2. The login goes to this host and port only, whatever addresses the camera names.
 *  @throws Failure transient or rejected, in words for a person */
export async function openOnvif(
  place: OnvifPlace,
  credential: CameraCredential | undefined,
  signal: AbortSignal,
): Promise<OnvifSession> {
  const agent = new Agent({ keepAlive: false, maxSockets: 1 });
  const cam = new SignedCam({
    ...{ hostname: place.host, port: place.port, path: place.path, agent },
    ...{ timeout: ANSWER_MS, autoconnect: false },
  });

  async function ask<T>(
    question: (cam: OnvifCam, done: (error: unknown, value: T) => void) => void,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    cam.said = { error: undefined, status: undefined, text: '' };
    cam.first = undefined;
    const size = setInterval(() => {
      if (bytesRead(agent) > MAX_BYTES) reject(new Failure('transient', 'onvif.answer', NOT_ONVIF));
    }, LOOK_MS);
    try {
      question(cam, (error, value) => (error ? reject(cam.said.error ?? error) : resolve(value)));
      return await withDeadline(orAborted(promise, signal), ANSWER_MS, 'an answer', 'onvif.deadline');
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(error, cam.said, place);
    } finally {
      clearInterval(size);
      // What is still on its way is not waited for.
      agent.destroy();
    }
  }

  const time = await ask<Date | null>((camera, done) => camera.getSystemDateAndTime(done));
  const deviceMs = time?.getTime() ?? Number.NaN;
  const isTime = Number.isFinite(deviceMs);
  if (isTime) {
    const offsetMs = deviceMs - performance.now();
    cam.deviceMs = () => offsetMs + performance.now();
  }
  const session: OnvifSession = {
    clockMs: isTime ? deviceMs - Date.now() : null,
    cam,
    ask,
    first: () => cam.first,
    close: () => agent.destroy(),
  };
  await findServices(session);
  cam.credential = credential;
  cam.username = credential?.username;
  cam.password = credential?.password;
  return session;
}

/** Old cameras know only the second question. */
async function findServices({ ask }: OnvifSession): Promise<void> {
  try {
    await ask<unknown>((cam, done) => cam.getServices(false, done));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'onvif.fault') throw error;
    await ask<unknown>((cam, done) => cam.getCapabilities(done));
  }
}

const bytesRead = ({ sockets }: Agent): number =>
  Object.values(sockets)
    .flatMap((list) => list ?? [])
    .reduce((sum, socket) => sum + socket.bytesRead, 0);
