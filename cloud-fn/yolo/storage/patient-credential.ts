import { setTimeout as delay } from 'node:timers/promises';
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/identity';

/** In a container group the endpoint of the identity may answer only seconds after the container has begun. */
const PATIENCE_MS = 60_000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 5_000];

export interface PatienceDeps {
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

const REAL: PatienceDeps = {
  nowMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : {});
  },
};

/** A credential that asks for its first token again and again for a minute. Once it has had one, a failure is a failure.
 *  @throws the credential's own error when the minute is over */
export function patientCredential(credential: TokenCredential, deps: PatienceDeps = REAL): TokenCredential {
  let proven = false;

  async function getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
    const untilMs = deps.nowMs() + PATIENCE_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        const token = await credential.getToken(scopes, options);
        proven ||= token !== null;
        return token;
      } catch (error) {
        if (proven || deps.nowMs() + pauseMs > untilMs) throw error;
        await deps.sleep(pauseMs, options?.abortSignal as AbortSignal | undefined);
      }
    }
  }

  return { getToken };
}
