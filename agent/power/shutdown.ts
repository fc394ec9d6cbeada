import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { sleepUnlessAborted } from '../kernel/waiting/sleep.ts';
import { within } from '../kernel/waiting/deadline.ts';

/** What the appliance does before it switches itself off, in this order. A shutdown that is taken back calls `resume`;
 *  a later one calls them again. */
export interface ShutdownActions {
  /** Closes running clips and begins no others. Resolves when they are sealed. */
  seal(signal: AbortSignal): Promise<void>;
  /** Tells the cloud what is going to happen. Resolves when it knows, or cannot be told. */
  tell(signal: AbortSignal): Promise<void>;
  /** Asks systemd to power off. Called once; again only when the machine is still up minutes later. */
  powerOff(): void;
  /** Mains is back in time, or the machine does not switch off: record again. */
  resume(): void;
}

/** battery: mains may still take it back · button: a person wants it, nothing takes it back. */
export type ShutdownCause = 'battery' | 'button';

type Phase = 'idle' | 'sealing' | 'telling' | 'waiting' | 'requested';

/** The whole life of a shutdown. `returned`: mains is there again · `refused`: asked, and still up. */
const LIFE = {
  idle: { decided: 'sealing' },
  sealing: { sealed: 'telling', returned: 'idle' },
  telling: { told: 'waiting', returned: 'idle' },
  waiting: { over: 'requested', returned: 'idle' },
  requested: { refused: 'idle' },
} as const satisfies Record<Phase, Record<string, Phase>>;

type Event = { [P in Phase]: keyof (typeof LIFE)[P] }[Phase];

const SEAL_MS = 10_000;
const TELL_MS = 15_000;
/** After each request, until the machine counts as one that did not obey. Then it is asked again; after the last it
 *  goes on guarding, which is better than standing still with power. */
const OBEY_MS: readonly number[] = [120_000, 240_000, 240_000];

export interface ShutdownDeps {
  readonly actions: ShutdownActions;
  readonly returnMs: number;
  readonly onPhase: () => void;
  /** It came to nothing. */
  readonly onRefused: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Shutdown {
  phase(): Exclude<Phase, 'idle'> | null;
  /** Why, for a person; null when nothing is going on. */
  why(): string | null;
  /** Begins; while one is under way only a button changes anything: it cannot be taken back then, nor waits. */
  begin(cause: ShutdownCause, why: string): void;
  /** Mains is there: takes back what can be taken back. */
  mainsBack(): void;
  /** There is no time to wait for mains. */
  hurry(): void;
  stop(): Promise<void>;
}

/** Switching off in good order.
 *  Invariants
 *  1. seal, tell and powerOff happen in this order; a failure or a deadline of one never keeps the next from happening.
 *  2. After `requested` nothing is taken back. Before it, `resume` is called after `seal` has ended or run out of time.
 *  3. Nothing of it is stored: after a power cut the next start measures anew. */
export function createShutdown(deps: ShutdownDeps): Shutdown {
  const { returnMs, onPhase, onRefused, clock, log } = deps;
  let phase: Phase = 'idle';
  let cause: ShutdownCause = 'battery';
  let why: string | null = null;
  let decidedMs = 0;
  let takenBack = new AbortController();
  let hurried = new AbortController();
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  /** Asked for by button while an earlier shutdown was being taken back. */
  let next: string | null = null;

  function step(event: Event): void {
    const to = (LIFE[phase] as Partial<Record<Event, Phase>>)[event];
    if (!to) return;
    phase = to;
    if (phase === 'idle') why = null;
    log.info({ event: 'shutdown.phase', phase, because: event }, `shutdown: ${event}`);
    onPhase();
  }

  /** Taken back or stopped, an action is told by its signal, and still has the time to end. */
  const act = (name: 'seal' | 'tell', ms: number): Promise<void> =>
    actWithin(deps, name, ms, { takenBack: takenBack.signal, stopping: stopping.signal });

  async function run(): Promise<void> {
    await act('seal', SEAL_MS);
    if (endedEarly()) return;
    step('sealed');
    await act('tell', TELL_MS);
    if (endedEarly()) return;
    step('told');
    const waitMs = decidedMs + returnMs - clock.monotonicMs();
    if (cause === 'battery' && waitMs > 0)
      await sleepUnlessAborted(
        clock,
        waitMs,
        AbortSignal.any([takenBack.signal, hurried.signal, stopping.signal]),
      );
    if (endedEarly()) return;
    step('over');
    if (!(await powerOff(deps, stopping.signal))) return;
    step('refused');
    onRefused();
    resume(deps);
  }

  function endedEarly(): boolean {
    if (stopping.signal.aborted) return true;
    if (!takenBack.signal.aborted) return false;
    log.warn({ event: 'shutdown.taken-back' }, 'mains is back: the appliance stays on');
    step('returned');
    resume(deps);
    const asked = next;
    next = null;
    if (asked !== null) begin('button', asked);
    return true;
  }

  function begin(newCause: ShutdownCause, reason: string): void {
    if (stopping.signal.aborted) return;
    if (phase === 'idle') {
      cause = newCause;
      why = reason;
      decidedMs = clock.monotonicMs();
      takenBack = new AbortController();
      hurried = new AbortController();
      log.warn({ event: 'shutdown.decided', cause, why }, `the appliance switches itself off: ${reason}`);
      step('decided');
      running = running.then(run);
    } else if (newCause === 'button' && takenBack.signal.aborted) {
      next = reason;
    } else if (newCause === 'button') {
      cause = newCause;
      why = reason;
      hurried.abort();
    }
  }

  return {
    phase: () => (phase === 'idle' ? null : phase),
    why: () => why,
    begin,
    mainsBack() {
      const mayReturn = phase === 'sealing' || phase === 'telling' || phase === 'waiting';
      if (cause === 'battery' && mayReturn) takenBack.abort();
    },
    hurry: () => hurried.abort(),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** One action within its time; what goes wrong with it is logged, and never thrown. */
async function actWithin(
  { actions, clock, log }: ShutdownDeps,
  name: 'seal' | 'tell',
  ms: number,
  { takenBack, stopping }: Readonly<Record<'takenBack' | 'stopping', AbortSignal>>,
): Promise<void> {
  const late = new AbortController();
  const signal = AbortSignal.any([late.signal, takenBack, stopping]);
  const failed = (why: string) =>
    log.error({ event: 'shutdown.action-failed', action: name, why }, 'the shutdown goes on without it');
  const done = Promise.resolve()
    .then(() => actions[name](signal))
    .catch((error: unknown) => {
      if (!signal.aborted) failed((error as Error).message);
    });
  const timeOver = () => {
    late.abort();
    failed(`it took longer than ${ms} ms`);
  };
  // What fails is logged above, so this rejects only when the rooms stop, and then there is nothing left to wait for.
  await within(clock, done, ms, timeOver, stopping).catch(() => undefined);
}

/** Asks the machine to switch off, and again when it does not.
 *  @returns whether it was asked for the last time, and is still up */
async function powerOff({ actions, clock, log }: ShutdownDeps, stopping: AbortSignal): Promise<boolean> {
  for (const [asked, obeyMs] of OBEY_MS.entries()) {
    try {
      actions.powerOff();
    } catch (error) {
      log.error(
        { event: 'shutdown.request-failed', err: error },
        'the system could not be asked to switch off',
      );
    }
    if (!(await sleepUnlessAborted(clock, obeyMs, stopping))) return false;
    log.error(
      { event: 'shutdown.not-obeyed', asked: asked + 1 },
      'asked to switch off, the machine is still up',
    );
  }
  return true;
}

function resume({ actions, log }: ShutdownDeps): void {
  try {
    actions.resume();
  } catch (error) {
    log.error({ event: 'shutdown.resume-failed', err: error }, 'recording could not be resumed');
  }
}
