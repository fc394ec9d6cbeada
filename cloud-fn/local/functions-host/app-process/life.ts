import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppGone } from '../app-gone.ts';
import type { FunctionMetadata, RpcData } from '../core-api.ts';
import { isAnswer, isLoaded, type Answer, type Request } from './messages.ts';

const CHILD = fileURLToPath(new URL('main.ts', import.meta.url));
const LOADS_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 5_000;
const STANDARD_ERROR = 2;

/** A process with the app in it, from its start to its end. */
export interface Life {
  readonly pid: number;
  readonly functions: readonly FunctionMetadata[];
  /** Rejects with the app's error, or with `AppGone` when the process ends first. */
  ask(request: Request): Promise<RpcData | undefined>;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<AppGone>;
  /** SIGKILL. */
  kill(): void;
  /** Lets it end by itself; kills it when it does not within 5 s. */
  end(): Promise<void>;
}

/** Starts a process and loads the app in it.
 *  @throws Error with the reason when the app cannot be loaded, or not within 60 s */
export async function beginLife(appFile: string, env: NodeJS.ProcessEnv): Promise<Life> {
  const child = fork(CHILD, [appFile], {
    env,
    serialization: 'advanced',
    // Standard output belongs to the host's own ready line.
    stdio: ['ignore', STANDARD_ERROR, STANDARD_ERROR, 'ipc'],
  });
  const open = new Map<number, PromiseWithResolvers<RpcData | undefined>>();
  const ended = new Promise<AppGone>((resolve) => {
    const over = (how: number | string) => {
      const gone = new AppGone(how);
      for (const one of open.values()) one.reject(gone);
      open.clear();
      resolve(gone);
    };
    child.once('exit', (code, signal) => over(signal ?? code ?? 'nobody'));
    // It could not be started, or not be reached; only the first of these is followed by no end of its own.
    child.on('error', (error) => {
      if (child.pid === undefined) over(error.message);
    });
  });
  child.on('message', (message) => {
    if (isAnswer(message)) settle(open, message);
  });

  const end = async () => {
    if (child.connected) child.disconnect();
    const force = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(force);
  };
  try {
    const functions = await loadedBy(child, ended);
    let asked = 0;
    return {
      pid: child.pid ?? 0,
      functions,
      ask: (request) => {
        const id = (asked += 1);
        const answer = Promise.withResolvers<RpcData | undefined>();
        open.set(id, answer);
        // What cannot be sent any more is rejected by the end of the process.
        if (child.connected) child.send({ ...request, id }, () => undefined);
        else void ended.then(answer.reject);
        return answer.promise;
      },
      ended,
      kill: () => void child.kill('SIGKILL'),
      end,
    };
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw error;
  }
}

async function loadedBy(child: ChildProcess, ended: Promise<AppGone>): Promise<readonly FunctionMetadata[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly FunctionMetadata[]>();
  const tooLong = setTimeout(
    () => reject(new Error(`The app was not loaded within ${LOADS_WITHIN_MS / 1000} s.`)),
    LOADS_WITHIN_MS,
  );
  child.on('message', (message) => {
    if (!isLoaded(message)) return;
    if ('failed' in message) reject(new Error(message.failed));
    else resolve(message.functions);
  });
  void ended.then((gone) => reject(new Error(`The app could not be loaded: ${gone.message}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(tooLong);
  }
}

function settle(open: Map<number, PromiseWithResolvers<RpcData | undefined>>, answer: Answer): void {
  const waiting = open.get(answer.id);
  open.delete(answer.id);
  if ('error' in answer) {
    const error = new Error(answer.error.message);
    error.stack = answer.error.stack;
    waiting?.reject(error);
  } else if ('thrown' in answer) waiting?.reject(answer.thrown);
  else waiting?.resolve(answer.value);
}
