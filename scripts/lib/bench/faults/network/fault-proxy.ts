/** Stands between a client and an HTTPS service on this machine and answers some requests as a bad network, or a bad
 *  service, would. */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Certificates } from '../../../../../cloud-fn/local/certificates.ts';
import type { NetAction } from '../plan.ts';

export interface ProxyFault {
  readonly after: number;
  readonly times: number;
  readonly action: NetAction;
}

export interface FaultProxy {
  readonly port: number;
  /** In place of those before; requests that got no answer until now are cut off. */
  set(faults: readonly ProxyFault[]): void;
  /** How many requests went wrong since `set`. */
  fired(): number;
  stop(): Promise<void>;
}

export interface FaultProxyDeps {
  readonly certificates: Certificates;
  /** Where the service is now: it may come back at another port. */
  readonly target: () => { readonly port: number };
  /** Kills whoever asks here. */
  readonly killClient?: () => void;
  /** The service has answered this request, whatever the client hears of it. */
  readonly onAnswer?: (request: IncomingMessage, status: number) => void;
}

/** Storage's words for its refusals. */
const CODES: Readonly<Partial<Record<NetAction, string>>> = {
  '403': 'AuthenticationFailed',
  '408': 'RequestTimeout',
  '429': 'TooManyRequests',
  '500': 'InternalError',
  '503': 'ServerBusy',
};

export async function startFaultProxy(deps: FaultProxyDeps): Promise<FaultProxy> {
  const { certificates, target, onAnswer, killClient } = deps;
  const ca = readFileSync(certificates.caFile);
  const upstream = new https.Agent({ keepAlive: true, ca });
  const sockets = new Set<Duplex>();
  const faults = createDueFaults();
  let silent: ServerResponse[] = [];

  function forward(request: IncomingMessage, response: ServerResponse, action: NetAction | undefined): void {
    const there = https.request(
      {
        ...{ host: '127.0.0.1', port: target().port, agent: upstream, ca },
        ...{ method: request.method, path: request.url, headers: request.headers },
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', () => response.destroy());
        answer.on('end', () => {
          const status = answer.statusCode ?? 502;
          onAnswer?.(request, status);
          const body = Buffer.concat(parts);
          if (action === 'kill after') killClient?.();
          if (action === undefined || action === 'answer cut') response.writeHead(status, answer.headers);
          if (action === undefined) response.end(body);
          if (action === 'answer cut') response.write(body.subarray(0, body.length >> 1));
          if (action !== undefined) response.socket?.destroy();
        });
      },
    );
    // The service is away: so is whatever stands before it.
    there.on('error', () => response.socket?.destroy());
    request.on('error', () => there.destroy());
    request.pipe(there);
  }

  const server = https.createServer(
    {
      cert: readFileSync(certificates.certFile),
      key: readFileSync(certificates.keyFile),
      keepAliveTimeout: 60_000,
    },
    (request, response) => {
      const action = faults.due();
      if (action === 'kill before') killClient?.();
      if (action === 'reset' || action === 'kill before') return void request.socket.destroy();
      if (action === 'black hole') {
        request.resume().on('error', () => undefined);
        silent.push(response);
        return undefined;
      }
      if (action === undefined || ['answer lost', 'answer cut', 'kill after'].includes(action))
        return forward(request, response, action);
      return refuse(request, response, action);
    },
  );
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as AddressInfo).port,
    set(rules) {
      faults.set(rules);
      for (const response of silent.splice(0)) response.socket?.destroy();
      silent = [];
    },
    fired: faults.fired,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      upstream.destroy();
    },
  };
}

/** Which requests go wrong: counts them. The first of several faults that are due wins. */
function createDueFaults() {
  let faults: { rule: ProxyFault; seen: number }[] = [];
  let fired = 0;
  return {
    set(rules: readonly ProxyFault[]): void {
      faults = rules.map((rule) => ({ rule, seen: 0 }));
      fired = 0;
    },
    /** @returns how the next request goes wrong; undefined when it does not */
    due(): NetAction | undefined {
      let action: NetAction | undefined;
      for (const fault of faults) {
        const call = fault.seen++;
        const { rule } = fault;
        if (action === undefined && call >= rule.after && call < rule.after + rule.times)
          action = rule.action;
      }
      if (action !== undefined) fired++;
      return action;
    },
    fired: () => fired,
  };
}

function refuse(request: IncomingMessage, response: ServerResponse, action: NetAction): void {
  const code = CODES[action] ?? action;
  request.resume().on('error', () => undefined);
  request.on('end', () => {
    response.writeHead(Number(action), {
      'content-type': 'application/xml',
      'x-ms-error-code': code,
      ...(action === '429' || action === '503' ? { 'retry-after': '1' } : {}),
    });
    response.end(
      `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
    );
  });
}
