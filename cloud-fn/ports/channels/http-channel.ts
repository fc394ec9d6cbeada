import type { Clock } from '../clock.ts';
import type { PortLog } from '../log.ts';
import type { Notification, NotificationChannel } from '../notification.ts';
import { PortFailure } from '../port-failure.ts';

/** One request that delivers a notification. */
export interface Delivering {
  /** May carry a token: never in an error, never in a log. */
  readonly address: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | FormData;
}

export interface HttpChannelDeps {
  readonly clock: Pick<Clock, 'sleep' | 'nowMs'>;
  readonly log: PortLog;
  readonly deadlineMs?: number;
  readonly retryMs?: number;
}

export interface HttpChannel extends HttpChannelDeps {
  /** For codes and the log, like `telegram`. */
  readonly name: string;
  /** In sentences, like `the webhook`. */
  readonly who: string;
  request(notification: Notification): Promise<Delivering>;
  /** How long the other side asks for patience, beside what its header says; undefined: it does not. Milliseconds. */
  patienceMs?(body: string): number | undefined;
}

const ATTEMPTS = 3;
/** Longer than that the activity does not wait: its orchestration tries again later. */
const PATIENCE_MAX_MS = 20_000;
const ANSWER_MAX = 16_384;

class Refusal extends PortFailure {
  readonly patienceMs: number | undefined;
  constructor(kind: PortFailure['kind'], code: string, message: string, patienceMs?: number) {
    super(kind, code, message);
    this.patienceMs = patienceMs;
  }
}

/** Delivers by one HTTP request, at most three times while the other side stumbles.
 *  Invariants
 *  1. What was refused for good (4xx but 408, 425 and 429) is not sent again.
 *  2. What was not answered in time is not sent again here: it may have arrived, and who calls decides.
 *  3. A wait that the other side asks for is kept, or the attempt ends.
 *  @returns a channel that throws a `PortFailure` */
export function createHttpChannel(channel: HttpChannel): NotificationChannel {
  const { name, who, clock, log, deadlineMs = 20_000, retryMs = 1_000 } = channel;

  async function attempt({ address, headers = {}, body }: Delivering): Promise<Refusal | undefined> {
    try {
      const response = await fetch(address, {
        method: 'POST',
        headers: { ...headers },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(deadlineMs),
      });
      if (response.ok) {
        await response.body?.cancel();
        return undefined;
      }
      return refused(response, (await response.text()).slice(0, ANSWER_MAX));
    } catch (error) {
      // The cause's code is enough; the message of the error could repeat the address.
      const { code = (error as Error).name } = ((error as Error).cause ?? {}) as { code?: string };
      return code === 'TimeoutError'
        ? new Refusal('transient', `${name}.no-answer`, `${who} did not answer within ${deadlineMs / 1000} s`)
        : new Refusal('transient', `${name}.unreachable`, `${who} did not answer (${code})`);
    }
  }

  /** 408, 425, 429 and 5xx pass by themselves; anything else will be the same again. */
  function refused({ status, headers }: Response, body: string): Refusal {
    const passes = [408, 425, 429].includes(status) || status >= 500;
    const seconds = Number(headers.get('retry-after') ?? Number.NaN);
    const askedMs = Number.isFinite(seconds) ? seconds * 1_000 : channel.patienceMs?.(body);
    return new Refusal(
      passes ? 'transient' : 'rejected',
      `${name}.http-${status}`,
      `${who} answered ${status}`,
      passes && askedMs !== undefined && askedMs >= 0 ? askedMs : undefined,
    );
  }

  return {
    name,
    async notify(notification) {
      const delivering = await channel.request(notification);
      for (let tries = 1; ; tries += 1) {
        const failure = await attempt(delivering);
        if (!failure) return;
        log.warn({ event: `${name}.failed`, code: failure.code, attempt: tries }, failure.message);
        const pauseMs = failure.patienceMs ?? retryMs * 2 ** (tries - 1);
        const isOver = failure.kind === 'rejected' || failure.code.endsWith('.no-answer');
        if (isOver || tries === ATTEMPTS || pauseMs > PATIENCE_MAX_MS) throw failure;
        await clock.sleep(pauseMs);
      }
    },
  };
}
