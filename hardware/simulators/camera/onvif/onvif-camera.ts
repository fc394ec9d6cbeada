/** The ONVIF side of a simulated camera, on 127.0.0.1: device and media services, login, a clock of its own, and
 *  discovery over the loopback. Its pictures come from any RTSP camera; here are only their addresses. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerOf, type Asked, isOpenToAll } from './answers.ts';
import { answerProbes } from './discovery.ts';
import { type Abilities, type Encoder, type OnvifProfile, USUAL } from './encoders.ts';
import {
  digestChallenge,
  judgeDigest,
  judgeToken,
  newNonce,
  type OnvifLogin,
  type OnvifVerdict,
} from './onvif-login.ts';
import { fault, questionOf } from './soap.ts';

export interface OnvifOptions {
  readonly profiles: readonly OnvifProfile[];
  readonly login?: OnvifLogin;
  /** How the camera wants the login; default the UsernameToken in the message. */
  readonly scheme?: 'token' | 'digest';
  /** The camera's time minus ours. Default 0. */
  readonly clockMs?: number;
  /** Also speaks Media2. Default true. */
  readonly media2?: boolean;
  /** What its encoders can do; default what most can. */
  readonly abilities?: Abilities;
  /** What it makes of what is set; default as it was wanted. */
  readonly settles?: (wanted: Encoder, old: Encoder) => Encoder;
  /** Answers probes on the loopback interface. Default false. */
  readonly discoverable?: boolean;
  /** html: a web page instead of SOAP · silence: no answer · endless: an answer that never ends · empty: SOAP in which
   *  everything is missing. */
  readonly fault?: 'html' | 'silence' | 'endless' | 'empty';
  /** Where its services say that they are; default the truth. A camera behind a router says something else. */
  readonly saysAddress?: string;
}

export interface OnvifCamera {
  readonly host: string;
  readonly port: number;
  /** As it names itself in discovery. */
  readonly urn: string;
  readonly requests: readonly { readonly name: string; readonly login: OnvifVerdict }[];
  /** Most requests that were not answered yet at the same time. */
  mostAtOnce(): number;
  encoder(token: string): Encoder | undefined;
  stop(): Promise<void>;
}

const MAX_BYTES = 256 * 1024;

export async function startOnvifCamera(options: OnvifOptions): Promise<OnvifCamera> {
  const urn = `urn:uuid:${randomUUID()}`;
  const requests: { name: string; login: OnvifVerdict }[] = [];
  const nonce = newNonce();
  const inside = {
    profiles: options.profiles,
    address: '',
    media2: options.media2 ?? true,
    abilities: options.abilities ?? USUAL,
    settles: options.settles ?? ((wanted: Encoder) => wanted),
    get nowMs() {
      return Date.now() + (options.clockMs ?? 0);
    },
  };
  let open = 0;
  let mostOpen = 0;

  function judge(request: IncomingMessage, xml: string): OnvifVerdict {
    const { login } = options;
    if (!login) return 'none';
    if (options.scheme !== 'digest') return judgeToken(xml, login, inside.nowMs);
    return judgeDigest(request.headers, { method: 'POST', path: request.url ?? '', nonce, login });
  }

  function answer(request: IncomingMessage, response: ServerResponse, xml: string): void {
    const asked: Asked = { ...questionOf(xml), xml };
    const login = judge(request, xml);
    requests.push({ name: asked.name, login });
    if (options.fault !== undefined) return misbehave(options.fault, asked, response);
    const reply = (status: number, text: string, headers = {}) =>
      response.writeHead(status, { 'Content-Type': 'application/soap+xml', ...headers }).end(text);
    const isLetIn =
      options.login === undefined || login === 'right' || (login === 'none' && isOpenToAll(asked));
    if (!isLetIn && options.scheme === 'digest')
      return void reply(401, '', { 'WWW-Authenticate': digestChallenge(nonce) });
    if (!isLetIn) return void reply(400, fault('ter:NotAuthorized', 'Sender not authorized'));
    const found = answerOf(asked, inside);
    if (found === undefined)
      return void reply(400, fault('ter:ActionNotSupported', 'Optional action not implemented'));
    reply(found.includes('<s:Fault>') ? 400 : 200, found);
  }

  const server = createServer((request, response) => {
    mostOpen = Math.max(mostOpen, ++open);
    response.once('finish', () => open--);
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > MAX_BYTES) request.destroy();
      else parts.push(part);
    });
    request.on('end', () => answer(request, response, Buffer.concat(parts).toString()));
  });
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  inside.address = options.saysAddress ?? `http://127.0.0.1:${port}`;
  const probes = options.discoverable
    ? await answerProbes({ urn, address: `${inside.address}/onvif/device_service`, name: 'Made Camera' })
    : undefined;
  return {
    host: '127.0.0.1',
    port,
    urn,
    requests,
    mostAtOnce: () => mostOpen,
    encoder: (token) => inside.profiles.find((profile) => profile.token === token)?.encoder,
    stop: async () => {
      await probes?.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function misbehave(how: NonNullable<OnvifOptions['fault']>, { name }: Asked, response: ServerResponse): void {
  if (how === 'silence') return;
  if (how === 'html') return void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>Hello');
  if (how === 'empty')
    return void response.end(
      `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><${name}Response/></s:Body></s:Envelope>`,
    );
  const more = Buffer.alloc(64 * 1024, ' ');
  const write = () => {
    while (!response.destroyed && response.write(more));
  };
  response.on('drain', write);
  response.on('error', () => undefined);
  write();
}
