/** The process that runs the app, as far as it matters that it dies: whatever it was doing stops where it is, and nothing
 *  that it still wanted to do is done. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { AppGone } from '../../../../cloud-fn/local/functions-host/app-gone.ts';
import type { Invoke } from '../../../../cloud-fn/local/functions-host/triggers/invoke.ts';

export type Lives = ReturnType<typeof createLives>;

interface Life {
  isOver: boolean;
  /** Dies at that many calls to the outside from now; undefined: it does not. */
  leftCalls: number | undefined;
  /** Calls by the host that are being worked on. */
  readonly working: Set<Call>;
  readonly end: PromiseWithResolvers<never>;
}

interface Call {
  readonly name: string;
  /** How many things it does that wait for time to pass. */
  waiting: number;
}

/** @param born called with the first life and whenever another begins */
export function createLives(born: () => void) {
  let life = begin();
  let deaths = 0;
  const calls = new AsyncLocalStorage<Call>();
  const busy = () => [...life.working].filter(({ waiting }) => waiting === 0);

  function begin(): Life {
    const end = Promise.withResolvers<never>();
    end.promise.catch(() => undefined);
    return { isOver: false, leftCalls: undefined, working: new Set(), end };
  }

  function die(mine: Life): void {
    if (mine.isOver) return;
    mine.isOver = true;
    deaths += 1;
    life = begin();
    born();
    mine.end.reject(new AppGone('SIGKILL'));
  }

  /** Passes, or never comes back: the process has died here. */
  async function pass(mine: Life): Promise<void> {
    if (!mine.isOver && mine.leftCalls !== undefined) {
      mine.leftCalls -= 1;
      if (mine.leftCalls <= 0) die(mine);
    }
    if (mine.isOver) await new Promise<never>(() => undefined);
  }

  return {
    deaths: () => deaths,
    /** The functions that are worked on and do not wait for time to pass. */
    busy: () => busy().map(({ name }) => name),
    /** @param calls how many calls to the outside it still makes; 0: it dies in the next call by the host */
    dieAfter: (calls: number) => {
      life.leftCalls ??= calls;
    },
    invoking:
      (invoke: Invoke): Invoke =>
      async (target, invocation) => {
        const mine = life;
        const call: Call = { name: target.name, waiting: 0 };
        mine.working.add(call);
        try {
          const answer = calls.run(call, () => invoke(target, invocation));
          answer.catch(() => undefined);
          if (mine.leftCalls === 0) die(mine);
          return await Promise.race([mine.end.promise, answer]);
        } finally {
          mine.working.delete(call);
        }
      },
    /** What the app reaches of the outside, for the life that begins now: before and after each call it may die. */
    mortal<T extends object>(port: T): T {
      const mine = life;
      return new Proxy(port, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          return async (...given: unknown[]) => {
            await pass(mine);
            const answer: unknown = await (value as (...args: unknown[]) => unknown).apply(target, given);
            await pass(mine);
            return answer;
          };
        },
      });
    },
    /** Waits for time to pass, inside a call by the host. */
    async waiting<T>(wait: Promise<T>): Promise<T> {
      const call = calls.getStore();
      if (call) call.waiting += 1;
      try {
        return await wait;
      } finally {
        if (call) call.waiting -= 1;
      }
    },
  };
}
