import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../capture/capture-rig.ts';

const AGENT = join(import.meta.dirname, '../../../agent/main.ts');
export const PATIENCE_MS = 120_000;

export interface Status {
  readonly cameras: readonly { readonly state: string }[];
  readonly clips: { readonly total: number } | null;
  readonly conditions: readonly { readonly code: string; readonly detail: string }[];
  readonly house: { readonly level: string };
  readonly link: { readonly state: string };
}

export interface AgentProcess {
  readonly process: ChildProcess;
  readonly said: () => string;
  readonly status: () => Promise<Status>;
  /** None while the ledger cannot be used. */
  readonly clipIds: () => Promise<string[]>;
  /** From its first word to its first live camera, by its own clock; undefined: not yet. */
  readonly liveAfterMs: () => number | undefined;
  readonly stop: () => Promise<void>;
}

/** Starts the agent, and waits for its page.
 *  @param home the folder of its settings and credentials
 *  @param prefix what runs it, in a mount namespace for example */
export async function startAgent(
  home: string,
  dataDir: string,
  prefix: readonly string[] = [],
): Promise<AgentProcess> {
  const args = [
    ...[process.execPath, AGENT, '--config', join(home, 'appliance.json')],
    ...['--data', dataDir, '--credentials', join(home, 'credentials')],
  ];
  const [command = '', ...rest] = [...prefix, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'exit');
  let page = '';
  child.on('message', (message) => (page = (message as { dashboard?: string }).dashboard ?? page));
  /** @returns undefined while the ledger cannot be used */
  const read = async <T>(path: string): Promise<T | undefined> => {
    const answer = await fetch(`${page}${path}`);
    if (answer.status === 503) return undefined;
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()) as T;
  };
  try {
    await until(
      'the page',
      () => {
        assert.equal(child.exitCode, null, log);
        return page !== '';
      },
      PATIENCE_MS,
    );
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    process: child,
    said: () => log,
    status: async () => (await read<Status>('/api/status')) ?? assert.fail('the page has no status'),
    clipIds: async () =>
      (await read<{ clips: { clipId: string }[] }>('/api/clips?limit=100'))?.clips.map(
        ({ clipId }) => clipId,
      ) ?? [],
    liveAfterMs: () => {
      const lines = linesOf(log);
      const live = lines.find(({ event, state }) => event === 'camera.state' && state === 'live');
      return live && Date.parse(live.time) - Date.parse(lines[0]?.time ?? '');
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const linesOf = (log: string) =>
  log
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { time: string; event?: string; state?: string });

export async function untilStatus(
  agent: AgentProcess,
  what: string,
  holds: (status: Status) => boolean,
): Promise<Status> {
  return await until(
    what,
    async () => {
      assert.equal(agent.process.exitCode, null, agent.said());
      const status = await agent.status();
      return holds(status) && status;
    },
    PATIENCE_MS,
  );
}

export const live = ({ cameras }: Status) =>
  cameras.length > 0 && cameras.every(({ state }) => state === 'live');
export const tells = (code: string) => (status: Status) => status.conditions.some((one) => one.code === code);
export const isOpen = (status: Status) => status.clips !== null && !tells('ledger-unavailable')(status);
