import { METHOD_ANSWER_LIMIT_BYTES, type MethodProblem } from '@dachawatch/contracts';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import { sleepUnlessAborted } from '../../kernel/waiting/sleep.ts';
import type { DirectMethod } from './method.ts';

const RUNNING_LIMIT = 8;

/** A call as it came. */
export interface MethodCall {
  readonly name: string;
  readonly payload: Buffer;
}

export interface MethodAnswer {
  readonly status: number;
  /** JSON can say it, in at most 128 KB. */
  readonly payload: unknown;
}

/** Answers every call, whatever it is and whatever the method does.
 *  Invariants
 *  1. One answer per call, after `answerMs` at the latest. It never rejects.
 *  2. At most eight methods run. */
export function createMethodDispatcher({
  methods,
  answerMs,
  clock,
  log,
}: {
  methods: Readonly<Record<string, DirectMethod>>;
  answerMs: number;
  clock: Pick<Clock, 'sleep'>;
  log: Log;
}): (call: MethodCall, over: AbortSignal) => Promise<MethodAnswer> {
  let running = 0;

  async function run(method: DirectMethod, name: string, payload: unknown, over: AbortSignal) {
    const done = new AbortController();
    const late = sleepUnlessAborted(clock, answerMs, AbortSignal.any([over, done.signal])).then(() =>
      problem(503, 'method.deadline', `${name} was not done after ${answerMs} ms`),
    );
    async function answered(): Promise<MethodAnswer> {
      try {
        return presentable(name, await method(payload, AbortSignal.any([over, done.signal])));
      } catch (error) {
        if (!done.signal.aborted)
          log.error({ event: 'method.failed', method: name, err: error }, `${name} failed`);
        return problem(500, 'method.fault', `${name} failed; the log of the appliance says why`);
      }
    }
    try {
      return await Promise.race([answered(), late]);
    } finally {
      done.abort();
    }
  }

  function presentable(name: string, { status, payload }: MethodAnswer): MethodAnswer {
    const text = JSON.stringify(payload ?? null);
    const bytes = Buffer.byteLength(text);
    if (bytes > METHOD_ANSWER_LIMIT_BYTES)
      return problem(
        500,
        'method.answer-too-large',
        `the answer to ${name} has ${bytes} bytes; IoT Hub carries at most ${METHOD_ANSWER_LIMIT_BYTES}`,
      );
    if (!Number.isInteger(status) || status < 100 || status > 999)
      throw new Error(`${String(status)} is not a status`);
    return { status, payload: JSON.parse(text) as unknown };
  }

  return async ({ name, payload: body }, over) => {
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    const known = Object.keys(methods).join(', ') || 'none';
    if (!method) return problem(404, 'method.unknown', `there is no method ${name}; there are: ${known}`);
    let payload: unknown;
    try {
      payload = body.length > 0 ? (JSON.parse(body.toString()) as unknown) : undefined;
    } catch {
      return problem(400, 'method.payload', `the payload of ${name} is not JSON`);
    }
    if (running >= RUNNING_LIMIT)
      return problem(409, 'method.busy', `${RUNNING_LIMIT} methods are running already`);
    running += 1;
    try {
      const answer = await run(method, name, payload, over);
      log.info(
        { event: 'method.answered', method: name, status: answer.status },
        'a direct method was called',
      );
      return answer;
    } finally {
      running -= 1;
    }
  };
}

const problem = (status: number, code: string, message: string) => {
  const payload: MethodProblem = { code, message };
  return { status, payload };
};
