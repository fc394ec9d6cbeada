import { ContractError, parse, type MethodProblem } from '@dachawatch/contracts';
import type { Static, TSchema } from 'typebox';
import { Failure } from '../../kernel/failure.ts';
import { redact } from '../../kernel/log.ts';

/** @param payload as the caller gave it: anything JSON can say; undefined when there was none
 *  @param signal aborted when nobody waits for the answer any more
 *  @returns status and payload as the caller gets them. A throw is answered 500 and logged, never uncaught. */
export type DirectMethod = (
  payload: unknown,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly payload: unknown }>;

/** What one direct method is: a file of its own exports it, and `direct-methods.ts` lists it under its name. */
export interface MethodDefinition<Deps, Request extends TSchema> {
  /** Contract of the payload. No payload counts as `{}`. */
  readonly request: Request;
  /** Status by the code of a `Failure`, where `statusOf` does not say it already. */
  readonly statuses?: Readonly<Record<string, number>>;
  /** @throws Failure what the caller shall read: the answer is its code and sentence
   *  @throws anything else, when it is a fault of ours: answered 500, logged */
  readonly answer: (request: Static<Request>, deps: Deps, signal: AbortSignal) => Promise<object>;
}

/** Problems are answers; only a fault of ours is thrown. */
export const defineMethod =
  <Deps, Request extends TSchema>({ request, statuses = {}, answer }: MethodDefinition<Deps, Request>) =>
  (deps: Deps): DirectMethod =>
  async (payload, signal) => {
    try {
      return { status: 200, payload: await answer(parse(request, payload ?? {}), deps, signal) };
    } catch (error) {
      return problemOf(error, statuses);
    }
  };

/** @throws what is none of the caller's business */
function problemOf(
  error: unknown,
  statuses: Readonly<Record<string, number>>,
): { status: number; payload: MethodProblem } {
  if (error instanceof ContractError)
    return { status: 400, payload: { code: 'method.payload', message: error.message } };
  if (!(error instanceof Failure)) throw error;
  const status = Object.hasOwn(statuses, error.code) ? (statuses[error.code] ?? 500) : statusOf(error);
  if (status === 500) throw error;
  return { status, payload: { code: error.code, message: redact(error.message) } };
}

/** As `MethodProblem` describes. */
function statusOf({ kind }: Failure): number {
  if (kind === 'exhausted') return 409;
  return kind === 'transient' ? 503 : 500;
}
