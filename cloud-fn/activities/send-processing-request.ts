import { encodeQueueMessage, parse, ProcessingRequest, QUEUE_TO_PROCESSING } from '@dachawatch/contracts';
import type { StoragePort } from '../ports/storage.ts';

/** Asks the worker to analyse a clip. Again: a second message with the same `instance_id`, which costs the worker a
 *  second run at most; the second answer is recognised and dropped.
 *  @throws ContractError when the request does not fit: refused here rather than at the worker */
export function createSendProcessingRequest({
  storage,
}: {
  readonly storage: Pick<StoragePort, 'sendMessage'>;
}) {
  return async (request: ProcessingRequest): Promise<void> => {
    await storage.sendMessage(QUEUE_TO_PROCESSING, encodeQueueMessage(parse(ProcessingRequest, request)));
  };
}
