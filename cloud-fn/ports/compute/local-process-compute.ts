import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../clock.ts';
import type { ComputePort } from './compute.ts';
import { withDeadline } from '../deadline.ts';
import type { PortLog } from '../log.ts';
import { PortFailure } from '../port-failure.ts';

export interface LocalProcessComputeDeps {
  /** Program of the worker. It says `{"ready":true}` over IPC and ends when the channel closes. */
  readonly entry: string;
  /** The worker's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: PortLog;
  readonly readyDeadlineMs?: number;
  readonly stopDeadlineMs?: number;
  /** First pause before a worker that died is started again; doubles with every death. */
  readonly restartMinMs?: number;
}

const MAX_RESTARTS = 5;
const RESTART_MAX_MS = 30_000;
/** A worker that ends idle this soon after it was asked for may have missed the request. */
const JUST_ASKED_MS = 15_000;
const STDERR_TAIL = 2_000;

/** The worker as a child process.
 *  Invariants
 *  1. At most one worker of this process runs.
 *  2. One that dies with an error is started again with backoff, at most five times for one request.
 *  3. It sees only the environment it is given, and ends with this process: its IPC channel closes. */
// oxlint-disable-next-line max-lines-per-function -- the life of one worker process: started, asked after, ended, with what is known of it in between
export function createLocalProcessCompute(deps: LocalProcessComputeDeps): ComputePort {
  const { clock, log } = deps;
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let starting: Promise<void> | undefined;
  let deaths = 0;
  let askedMs = Number.NEGATIVE_INFINITY;

  async function start(): Promise<void> {
    const worker = fork(deps.entry, [], {
      env: { ...deps.environment },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child = worker;
    let tail = '';
    worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-STDERR_TAIL);
    });
    const ended = new Promise<number | string>((resolve) => {
      worker.once('error', (error) => resolve(error.message));
      worker.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    void ended.then((how) => onEnd(worker, how, tail));
    const ready = new Promise<void>((resolve) => worker.once('message', () => resolve()));
    try {
      await withDeadline(
        Promise.race([ready, ended.then((how) => Promise.reject(endedEarly(how, tail)))]),
        deps.readyDeadlineMs ?? 60_000,
        'the start of the worker',
        'compute.start-deadline',
      );
      log.info({ event: 'worker.started', pid: worker.pid }, 'worker started');
      unref(worker);
    } catch (error) {
      if (child === worker) child = undefined;
      worker.kill('SIGKILL');
      throw error;
    }
  }

  function onEnd(worker: ChildProcess, how: number | string, tail: string): void {
    const current = child === worker;
    if (current) child = undefined;
    // One that never became ready: whoever waited for it has heard of it and decides.
    if (!current || starting || stopping.signal.aborted) return;
    if (how === 0) {
      log.info({ event: 'worker.ended' }, 'worker ended: nothing to do');
      if (clock.nowMs() - askedMs < JUST_ASKED_MS) void restart(0);
      return;
    }
    log.warn({ event: 'worker.died', how, stderr: tail.trim().slice(-500) }, 'worker died');
    deaths += 1;
    if (deaths <= MAX_RESTARTS) void restart(backoffMs(deaths - 1));
    else log.warn({ event: 'worker.given-up', deaths }, 'worker keeps dying; the next request tries again');
  }

  const backoffMs = (attempt: number) => Math.min(RESTART_MAX_MS, (deps.restartMinMs ?? 500) * 2 ** attempt);

  async function restart(pauseMs: number): Promise<void> {
    try {
      await clock.sleep(pauseMs, stopping.signal);
      await startOnce();
    } catch (error) {
      if (stopping.signal.aborted) return;
      log.warn({ event: 'worker.restart-failed', error: (error as Error).message }, 'worker did not start');
      deaths += 1;
      if (deaths <= MAX_RESTARTS) await restart(backoffMs(deaths - 1));
    }
  }

  function startOnce(): Promise<void> {
    if (child && !starting) return Promise.resolve();
    return (starting ??= start().finally(() => (starting = undefined)));
  }

  return {
    async ensureWorker() {
      if (stopping.signal.aborted)
        throw new PortFailure('transient', 'compute.stopping', 'the functions host is stopping');
      askedMs = clock.nowMs();
      deaths = 0;
      if (child && !starting) return 'running';
      await startOnce();
      return 'started';
    },
    async stop() {
      stopping.abort(new Error('stopping'));
      const worker = child;
      if (!worker || worker.exitCode !== null || worker.signalCode !== null) return;
      const ended = once(worker, 'exit');
      worker.kill('SIGTERM');
      try {
        await withDeadline(
          ended,
          deps.stopDeadlineMs ?? 10_000,
          'the end of the worker',
          'compute.stop-deadline',
        );
      } catch {
        worker.kill('SIGKILL');
        await ended;
      }
    },
  };
}

const endedEarly = (how: number | string, tail: string) =>
  new PortFailure(
    'transient',
    'compute.ended-early',
    `the worker ended (${how}) before it was ready: ${tail.trim().split('\n').at(-1) ?? ''}`.slice(0, 400),
  );

/** A worker must not keep the host alive. */
function unref(worker: ChildProcess): void {
  worker.unref();
  worker.channel?.unref();
  (worker.stderr as { unref?: () => void } | null)?.unref?.();
}
