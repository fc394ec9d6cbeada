/** The product's orchestration with activities that a test has in its hand. */
import * as df from 'durable-functions';
import { clipAnalysis } from '../../../cloud-fn/orchestrators/clip-analysis.ts';

/** What each activity does, and what they were asked, in order. */
export const hand = {
  activities: {} as Record<string, (input: never) => unknown>,
  asked: [] as { name: string; input: unknown }[],
};

const NAMES = [
  'start_container',
  'send_processing_request',
  'find_result',
  'keep_picture',
  'store_verdict',
  'send_verdict_to_device',
  'SendVideoComplited',
  'Escalate',
  'SendFailureNotification',
];

df.app.orchestration('clip-analysis', clipAnalysis);
for (const name of NAMES)
  df.app.activity(name, {
    handler: async (input) => {
      hand.asked.push({ name, input });
      return (hand.activities[name] as ((given: unknown) => unknown) | undefined)?.(input);
    },
  });
