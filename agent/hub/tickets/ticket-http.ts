import https from 'node:https';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Clock } from '../../kernel/clock.ts';
import { Failure } from '../../kernel/failure.ts';
import { retryAfterMs } from '../../kernel/waiting/retry-after.ts';

const ANSWER_LIMIT_BYTES = 64 * 1024;

type Done = (error: Error | null, body?: string, response?: IncomingMessage) => void;

/** What the SDK's file-upload API wants of HTTP. */
export interface TicketHttp {
  setOptions(options: unknown): void;
  buildRequest(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    host: string,
    x509: unknown,
    done: Done,
  ): { write(body: string): void; end(): void };
}

/** HTTP for one call of the SDK's file-upload API, in place of its own, which has no deadline, counts characters
 *  instead of bytes, hides the status of a refusal and dies of an answer that is not JSON.
 *  @param expectJson the SDK is going to parse the answer */
export function createTicketHttp({
  agent,
  signal,
  expectJson,
  clock,
}: {
  agent: https.Agent;
  signal: AbortSignal;
  expectJson: boolean;
  clock: Pick<Clock, 'nowMs'>;
}): TicketHttp {
  /** Hands the answer on when it is whole. */
  function read(response: IncomingMessage, done: Done): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_LIMIT_BYTES) response.destroy(unusable('it is too long'));
      else chunks.push(chunk);
    });
    response.on('error', done);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      done(problemOf(response, text, expectJson, clock.nowMs()), text, response);
    });
  }

  return {
    setOptions: () => {},
    buildRequest: (method, path, headers, host, _x509, done) => {
      let body = '';
      return {
        write: (text) => {
          body += text;
        },
        end: () => {
          const sized = { ...headers, 'Content-Length': Buffer.byteLength(body) };
          const request = https.request({ method, path, headers: sized, host, agent, signal });
          request.on('error', done);
          request.on('response', (response) => read(response, done));
          request.end(body);
        },
      };
    },
  };
}

function problemOf(
  response: IncomingMessage,
  text: string,
  expectJson: boolean,
  nowMs: number,
): Error | null {
  const { statusCode = 0, statusMessage, headers } = response;
  if (statusCode >= 300)
    return Object.assign(
      new Error(`HTTP ${statusCode} ${statusMessage}: ${hubMessage(text) ?? 'no explanation'}`),
      {
        statusCode,
        saidByHub: hubMessage(text) !== undefined,
        retryAfterMs: retryAfterMs((name) => headers[name]?.toString(), nowMs),
      },
    );
  // Also an answer without a body that has one: a page that asks for a login.
  if ((expectJson || text !== '') && parseJson(text) === undefined) return unusable('it is not JSON');
  return null;
}

const unusable = (why: string) =>
  new Failure('transient', 'hub.ticket.answer', `what answers is not the hub, or not as it does: ${why}`);

/** What the hub says in an error body, shortened; undefined when the body is not the hub's. */
function hubMessage(text: string): string | undefined {
  const { Message: message } = (parseJson(text) ?? {}) as { Message?: unknown };
  return typeof message === 'string' ? message.slice(0, 300) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined; // the caller says what that means
  }
}
