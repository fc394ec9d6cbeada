import { Failure } from '../kernel/failure.ts';
import { type Ledger, LEDGER_UNAVAILABLE } from './ledger.ts';
import type { OpenLedger } from './while-open.ts';

/** What the service hands on to the open ledger as it is. */
const PASSED_ON = [
  'leaseNext',
  'settleUploaded',
  'settleFailed',
  'settleParked',
  'noteNotInStorage',
  'returnParked',
  'retryClip',
  'parked',
  'nextLeaseInMs',
  'storeMessage',
  'drainInbox',
  'noteRefusedVerdict',
  'applyVerdict',
  'awaitingVerdict',
  'judgedPersons',
  'judgedWithoutPerson',
  'glance',
  'recordedMs',
  'lastChange',
  'changes',
  'returnToQueue',
  'tell',
  'outgoing',
  'settleOutgoing',
  'clip',
  'clips',
  'custody',
  'summary',
] as const satisfies readonly (keyof Ledger)[];

export interface OpenCallsDeps {
  readonly open: () => OpenLedger | undefined;
  /** Why there is none. */
  readonly why: () => string;
  /** Decides what an error means for the ledger, and returns what the caller is told. */
  readonly judge: (error: unknown, from: OpenLedger) => unknown;
}

export interface OpenCalls {
  /** Calls of the ledger that is open when they are called.
   *  @throws (each of them) Failure transient `ledger.unavailable` when there is none */
  readonly calls: <K extends keyof Ledger>(...names: K[]) => Pick<Ledger, K>;
  readonly passedOn: Pick<Ledger, (typeof PASSED_ON)[number]>;
}

/** Calls of a ledger that may be closed and opened again between any two of them. */
export function createOpenCalls({ open, why, judge }: OpenCallsDeps): OpenCalls {
  const call =
    (name: keyof Ledger) =>
    (...args: unknown[]): unknown => {
      const now = open();
      if (!now || now.over.signal.aborted) throw new Failure('transient', LEDGER_UNAVAILABLE, why());
      try {
        const result = (now.ledger[name] as (...args: unknown[]) => unknown)(...args);
        if (!(result instanceof Promise)) return result;
        return result.catch((error: unknown) => {
          throw judge(error, now);
        });
      } catch (error) {
        throw judge(error, now);
      }
    };
  const calls = <K extends keyof Ledger>(...names: K[]) =>
    Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as Pick<Ledger, K>;
  return { calls, passedOn: calls(...PASSED_ON) };
}
