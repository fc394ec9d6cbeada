/** One odd request to the functions host, and whether its answer is one that a caller can act on. */
import { type Agent, request } from 'node:http';
import type { Door, OddRequest } from './doors.ts';

const WITHIN_MS = 120_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export function knock(agent: Agent, port: number, odd: OddRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path, headers, body } = odd;
    const carriesBody = !['GET', 'HEAD', 'TRACE'].includes(method);
    const asking = request(
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
  { explains, name }: Door,
  { method }: OddRequest,
  { status, body }: Answer,
): string | undefined {
  // An answer to HEAD has no body that could say why.
  if (status >= 500 && method !== 'HEAD' && !isOfTheRealHost(name, status, body))
    return `${status} ${body.slice(0, 200)}`;
  if (status < 200) return `${status}`;
  if (explains && status >= 400 && status < 500 && !sentenceOf(body))
    return `${status} without a reason: ${body.slice(0, 200)}`;
  return undefined;
}

function isOfTheRealHost(door: string, status: number, body: string): boolean {
  if (door === 'start by hand') return status === 503 && Boolean(sentenceOf(body));
  if (door === 'Event Grid') return body === '';
  return /"ExceptionMessage":"[^"]/.test(body) || /^"?[A-Z][^"]+/.test(body);
}

function sentenceOf(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: string; message?: string } };
    return error?.code ? error.message : undefined;
  } catch {
    return undefined;
  }
}
