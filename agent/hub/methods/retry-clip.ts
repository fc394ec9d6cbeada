import { RetryClipRequest, type RetryClipAnswer } from '@dachawatch/contracts';
import { Failure } from '../../kernel/failure.ts';
import { defineMethod } from './method.ts';

export interface RetryClipDeps {
  /** Wants a clip uploaded that was refused, or that waits for its next try. */
  readonly retryClip: (clipId: string) => RetryClipAnswer['outcome'] | 'lost' | 'unknown-clip';
}

export const retryClip = defineMethod({
  request: RetryClipRequest,
  statuses: { 'method.no-such-clip': 404, 'method.clip-lost': 409 },
  async answer({ clipId }, deps: RetryClipDeps): Promise<RetryClipAnswer> {
    const outcome = deps.retryClip(clipId);
    if (outcome === 'unknown-clip')
      throw new Failure('rejected', 'method.no-such-clip', `there is no clip ${clipId}`);
    if (outcome === 'lost')
      throw new Failure('rejected', 'method.clip-lost', `clip ${clipId} is lost: there is nothing to upload`);
    return { clipId, outcome };
  },
});
