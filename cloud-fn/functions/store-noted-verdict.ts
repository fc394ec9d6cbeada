import { createStoreVerdict, type StoreVerdictDeps } from '../activities/store-verdict.ts';
import { noteOpenClip } from '../keeper/open-clips.ts';
import type { StoreVerdictInput } from '../orchestrators/clip-analysis-steps.ts';
import { clipInstanceId } from '../ports/instance-places.ts';

export interface StoreNotedVerdictDeps extends StoreVerdictDeps {
  readonly settings: { readonly analysisWaitMs: number };
}

/** Stores a verdict; before that its clip is noted as open, unless it is. Whoever began an orchestration of the first
 *  version noted nothing, and without a note nobody goes on when somebody could not be told of its verdict. */
export function createStoreNotedVerdict({ storage, log, settings }: StoreNotedVerdictDeps) {
  const storeVerdict = createStoreVerdict({ storage, log });
  return async (input: StoreVerdictInput) => {
    const { clip } = input;
    await noteOpenClip(storage, clipInstanceId(clip.blobName), { clip, waitMs: settings.analysisWaitMs });
    return storeVerdict(input);
  };
}
