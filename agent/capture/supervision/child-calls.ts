import { withDeadline } from '../../kernel/waiting/deadline.ts';
import { Failure } from '../../kernel/failure.ts';
import type { Answer, Question } from '../messages.ts';

export interface ChildCalls {
  /** @throws Failure what the child refuses with · transient `capture.deadline` · transient `capture.no-picture`
   *  when it is gone */
  ask(type: Question['type'], withinMs: number): Promise<Answer>;
  /** An answer that nobody waits for any more is dropped. */
  take(answer: Answer): void;
  /** The child is gone. */
  end(why: string): void;
}

/** Questions to one child.
 *  Invariant: each is answered once: by the child, by its deadline, or by the child's end. */
export function createChildCalls(deps: {
  readonly cameraId: string;
  send(question: Question): void;
}): ChildCalls {
  const open = new Map<number, PromiseWithResolvers<Answer>>();
  let asked = 0;
  let ended: Failure | undefined;
  return {
    async ask(type, withinMs) {
      if (ended) throw ended;
      const requestId = ++asked;
      const answer = Promise.withResolvers<Answer>();
      open.set(requestId, answer);
      deps.send({ type, requestId });
      const what = `camera ${deps.cameraId}: the answer of the capture process`;
      try {
        return await withDeadline(answer.promise, withinMs, what, 'capture.deadline');
      } finally {
        open.delete(requestId);
      }
    },
    take(answer) {
      const asker = open.get(answer.requestId);
      if (answer.type !== 'refused') return asker?.resolve(answer);
      const { kind, code, message } = answer;
      asker?.reject(new Failure(kind, code, `camera ${deps.cameraId}: ${message}`));
    },
    end(why) {
      ended = new Failure('transient', 'capture.no-picture', why);
      for (const { reject } of open.values()) reject(ended);
    },
  };
}
