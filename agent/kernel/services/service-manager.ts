import { execFile } from 'node:child_process';
import type { Log } from '../log.ts';

/** What the service manager (systemd) is told. Nothing here throws or waits for longer than a deadline. */
export interface ServiceManager {
  /** The service has started. Resolves when systemd was told, or could not be. */
  ready(status: string): Promise<void>;
  /** The line that `systemctl status` shows. The newest wins; the same one twice is told once. */
  status(sentence: string): void;
  /** Alive: the watchdog's time begins anew. */
  watchdog(): void;
  /** The service ends by itself or was told to. */
  stopping(): void;
  /** At most so long between two calls of `watchdog`, milliseconds; null: nobody watches this process. */
  readonly watchdogMs: number | null;
}

export interface ServiceManagerDeps {
  /** NOTIFY_SOCKET; absent: not started by systemd, nothing is told to anybody. */
  readonly socket: string | undefined;
  /** WATCHDOG_USEC */
  readonly watchdogUsec: string | undefined;
  /** WATCHDOG_PID: the process that is watched; absent: this one. */
  readonly watchdogPid: string | undefined;
  readonly log: Log;
  /** Tells systemd. Node has no datagram sockets in the file system, so this is systemd's own small program. */
  readonly run?: (socket: string, assignments: readonly string[]) => Promise<void>;
  /** This process. */
  readonly pid?: number;
}

/** Longest STATUS line; a terminal shows less. */
const MAX_STATUS_CHARACTERS = 200;
/** systemd-notify itself waits up to 5 s until systemd has read. */
const DEADLINE_MS = 8_000;
const PROGRAM = '/usr/bin/systemd-notify';

type Assignment = 'READY' | 'STOPPING' | 'STATUS' | 'WATCHDOG';

/** Invariants
 *  1. At most one systemd-notify runs; what is told meanwhile goes with the next one, in one message.
 *  2. What could not be told is told with the next message: READY and STATUS are not lost. A WATCHDOG is: it said
 *     something about a moment that is over.
 *  3. Without a socket no process is ever started. */
export function createServiceManager(deps: ServiceManagerDeps): ServiceManager {
  const { socket, log, run = systemdNotify, pid = process.pid } = deps;
  const pending = new Map<Assignment, string>();
  let told = '';
  let failing = false;
  let telling: Promise<void> | undefined;

  async function tellAll(to: string): Promise<void> {
    // What is told in the same breath goes in one message.
    await Promise.resolve();
    do {
      const batch = [...pending];
      pending.clear();
      try {
        await run(
          to,
          batch.map(([name, value]) => `${name}=${value}`),
        );
        if (failing)
          log.info({ event: 'service-manager.told-again' }, 'the service manager can be told again');
        failing = false;
      } catch (error) {
        keep(batch);
        if (!failing)
          log.warn(
            { event: 'service-manager.not-told', err: error },
            'the service manager cannot be told; a watchdog that is not fed restarts the agent',
          );
        failing = true;
        break;
      }
    } while (pending.size > 0);
    telling = undefined;
  }

  function keep(batch: readonly [Assignment, string][]): void {
    for (const [name, value] of batch)
      if (name !== 'WATCHDOG' && !pending.has(name)) pending.set(name, value);
  }

  function tell(assignments: readonly [Assignment, string][]): Promise<void> {
    for (const [name, value] of socket ? assignments : []) pending.set(name, value);
    if (!socket || pending.size === 0) return Promise.resolve();
    telling ??= tellAll(socket);
    return telling;
  }

  /** Nothing when it is what systemd shows already, or is about to. */
  function statusOf(sentence: string): [Assignment, string][] {
    const line = oneLine(sentence);
    if (line === told) return [];
    told = line;
    return [['STATUS', line]];
  }

  return {
    watchdogMs: socket ? watchdogMs(deps, pid) : null,
    ready: (status) => tell([['READY', '1'], ...statusOf(status)]),
    status: (sentence) => void tell(statusOf(sentence)),
    watchdog: () => void tell([['WATCHDOG', '1']]),
    stopping: () => void tell([['STOPPING', '1']]),
  };
}

/** A line systemd can show: it ends the message at a line break, and shows no control characters. */
function oneLine(sentence: string): string {
  const line = sentence.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= MAX_STATUS_CHARACTERS
    ? line
    : `${characters.slice(0, MAX_STATUS_CHARACTERS - 1).join('')}…`;
}

function watchdogMs({ watchdogUsec, watchdogPid }: ServiceManagerDeps, pid: number): number | null {
  if (watchdogPid !== undefined && watchdogPid !== String(pid)) return null;
  if (watchdogUsec === undefined || !/^[1-9]\d{0,15}$/.test(watchdogUsec)) return null;
  return Number(watchdogUsec) / 1_000;
}

/** One message with all assignments. Needs `NotifyAccess=all` in the unit: the sender is a child of the service. */
function systemdNotify(socket: string, assignments: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      PROGRAM,
      ['--', ...assignments],
      { env: { NOTIFY_SOCKET: socket }, timeout: DEADLINE_MS, killSignal: 'SIGKILL' },
      (error) => (error ? reject(error) : resolve()),
    );
  });
}
