/** One odd request to a service, and whether its answer is one that a caller can act on. */
import { type Agent, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { Answer, Endpoint, OddRequest } from './endpoints.ts';

const WITHIN_MS = 120_000;

export function sendRequest(agent: Agent, port: number, odd: OddRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path, headers, body } = odd;
    const carriesBody = !['GET', 'HEAD', 'TRACE'].includes(method);
    const ask = agent instanceof SecureAgent ? secureRequest : request;
    const asking = ask(
      {
        ...{ host: '127.0.0.1', port, agent, method, path },
        headers: { ...headers, ...(carriesBody ? { 'content-length': Buffer.byteLength(body) } : {}) },
        signal: AbortSignal.timeout(WITHIN_MS),
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.once('error', reject);
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
        );
      },
    );
    asking.once('error', reject);
    asking.end(carriesBody ? body : undefined);
  });
}

/** What is wrong with an answer; undefined: nothing. A 500 is right where the real host gives one, and then says why:
 *  docs/functions-host.md. */
export function complaintAbout(
  { reasonOf, isOurs, name }: Endpoint,
  { method }: OddRequest,
  { status, body }: Answer,
): string | undefined {
  // An answer to HEAD has no body that could say why.
  if (isOurs === false || method === 'HEAD') return undefined;
  const isExplained = Boolean(reasonOf?.(body));
  if (status >= 500 && !(status === 503 && isExplained) && !isOfTheRealHost(name, body))
    return `${status} ${body.slice(0, 200)}`;
  if (status < 200) return `${status}`;
  return reasonOf && status >= 400 && status < 500 && !isExplained
    ? `${status} without a reason: ${body.slice(0, 200)}`
    : undefined;
}

function isOfTheRealHost(endpoint: string, body: string): boolean {
  if (endpoint.includes(':') || endpoint === 'start by hand') return false;
  if (endpoint === 'Event Grid') return body === '';
  return /"ExceptionMessage":"[^"]/.test(body) || /^"?[A-Z][^"]+/.test(body);
}
