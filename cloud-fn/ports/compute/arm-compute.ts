import type { TokenCredential } from '@azure/identity';
import { PortFailure } from '../port-failure.ts';
import type { ComputePort } from './compute.ts';

/** One thing that Azure Resource Manager runs, by its resource id. */
export interface ArmResource {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
}

/** How to reach Azure Resource Manager. */
export interface ArmAccess {
  /** Asked for once, before the first call. */
  readonly credential: () => Promise<TokenCredential>;
  /** Absent: the public cloud. */
  readonly endpoint?: string | undefined;
  /** Certificate authorities to trust beside those of the system, PEM; for tests. */
  readonly ca?: string;
}

const ID =
  /^\/subscriptions\/([0-9a-f-]{36})\/resourceGroups\/([\w.()-]{1,90})\/providers\/([\w.]+\/\w+)\/([a-z0-9-]{1,63})$/i;

/** Takes a resource id apart.
 *  @param type like `Microsoft.App/jobs`; case does not matter, as everywhere in resource ids
 *  @returns undefined when it is no id of that type */
export function readArmResource(id: string, type: string): ArmResource | undefined {
  const [, subscriptionId, resourceGroup, found, name] = ID.exec(id) ?? [];
  if (!subscriptionId || !resourceGroup || !name) return undefined;
  return found?.toLowerCase() === type.toLowerCase() ? { subscriptionId, resourceGroup, name } : undefined;
}

export interface ArmWorker {
  /** For sentences, like `the job yolo`. */
  readonly what: string;
  /** It runs, or is about to. */
  isRunning(signal: AbortSignal): Promise<boolean>;
  /** Asks for a start, and does not wait for it. */
  start(signal: AbortSignal): Promise<void>;
}

/** The identity that Azure gives to the app. */
export const identityOfApp = async (): Promise<TokenCredential> =>
  new (await import('@azure/identity')).DefaultAzureCredential();

/** What the SDKs' clients want of it; they are loaded with the first call, so that an app that starts no worker does not
 *  pay for them at its cold start. */
export const clientOptions = ({ endpoint, ca }: ArmAccess) => ({
  ...(endpoint === undefined ? {} : { endpoint, $host: endpoint }),
  ...(ca === undefined ? {} : { tlsOptions: { ca } }),
  retryOptions: ARM_RETRIES,
});

const DEADLINE_MS = 20_000;
/** Of the SDKs' own retries: an activity is tried again by its orchestration, where everybody sees it. */
const ARM_RETRIES = { maxRetries: 1, retryDelayInMs: 500, maxRetryDelayInMs: 2_000 } as const;

/** A worker that was put up once, by the deployment, and is only started here: the app needs no right to make, change or
 *  delete anything, and whoever takes it over can run nothing else.
 *  Invariants
 *  1. Calls of this process that come together share one look and one start.
 *  2. Of two processes that start at the same moment, both may: the second worker finds the queue empty and ends.
 *  3. Every call ends within the deadline, by an abort. */
export function createArmCompute(worker: ArmWorker, deadlineMs = DEADLINE_MS): ComputePort {
  const stopping = new AbortController();
  let asking: Promise<'started' | 'running'> | undefined;

  async function ask(): Promise<'started' | 'running'> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(deadlineMs)]);
    try {
      if (await worker.isRunning(signal)) return 'running';
      try {
        await worker.start(signal);
        return 'started';
      } catch (error) {
        // Somebody else has just started it, or it is between two states.
        if (statusOf(error) === 409 && (await worker.isRunning(signal))) return 'running';
        throw error;
      }
    } catch (error) {
      throw failureOf(worker.what, error, signal);
    }
  }

  return {
    ensureWorker: () => (asking ??= ask().finally(() => (asking = undefined))),
    stop: async () => {
      stopping.abort(new Error('the functions host is stopping'));
      await asking?.catch(() => {});
    },
  };
}

interface RestError {
  readonly statusCode?: number;
  readonly code?: string;
}

const statusOf = (error: unknown): number | undefined => (error as RestError).statusCode;

/** What to do about a status, beside what Azure says. */
const MEANINGS: Readonly<Record<number, string>> = {
  401: 'the identity of this app is not accepted',
  403: 'the identity of this app may not start it; does it have the role that infra/roles.md names?',
  404: 'there is no such thing; is its resource id right?',
  409: 'it cannot be started now',
  429: 'Azure asks for patience',
};

const SAID_MAX = 300;

function failureOf(what: string, error: unknown, signal: AbortSignal): PortFailure {
  const { message, code } = error as Error & RestError;
  const status = statusOf(error);
  if (signal.aborted)
    return new PortFailure('transient', 'compute.arm-deadline', `${what} was not started in time`, {
      cause: error,
    });
  const meaning = status === undefined ? undefined : MEANINGS[status];
  const said = [code, message].filter((part) => part !== undefined).join(': ');
  const sentence = `${what} could not be started: ${meaning === undefined ? '' : `${meaning} (`}${said.slice(0, SAID_MAX)}${meaning === undefined ? '' : ')'}`;
  return new PortFailure('transient', `compute.arm-${status ?? 'unreachable'}`, sentence, { cause: error });
}
