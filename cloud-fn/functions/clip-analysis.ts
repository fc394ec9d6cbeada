import df from 'durable-functions';
import {
  ACTIVITY_ESCALATE,
  ACTIVITY_SEND_FAILURE_NOTIFICATION,
  ACTIVITY_SEND_PROCESSING_REQUEST,
  ACTIVITY_SEND_VIDEO_COMPLETED,
  ORCHESTRATION_CLIP_ANALYSIS,
} from '@dachawatch/contracts';
import { createEscalate } from '../activities/escalate.ts';
import { createFindResult } from '../activities/find-result.ts';
import { createKeepPicture } from '../activities/keep-picture.ts';
import { createSendFailureNotification } from '../activities/send-failure-notification.ts';
import { createSendProcessingRequest } from '../activities/send-processing-request.ts';
import { createSendVerdictToDevice } from '../activities/send-verdict-to-device.ts';
import { createSendVideoCompleted } from '../activities/send-video-completed.ts';
import { createStartContainer } from '../activities/start-container.ts';
import { clipAnalysis } from '../orchestrators/clip-analysis.ts';
import {
  ACTIVITY_FIND_RESULT,
  ACTIVITY_KEEP_PICTURE,
  ACTIVITY_SEND_VERDICT,
  ACTIVITY_START_CONTAINER,
  ACTIVITY_STORE_VERDICT,
  type ClipAnalysisActivities,
} from '../orchestrators/clip-analysis-steps.ts';
import { worthOf } from '../orchestrators/decide-verdict.ts';
import { ports, type Ports } from './composition.ts';
import { createStoreNotedVerdict } from './store-noted-verdict.ts';

/** What the orchestration expects of each activity against what the activity is: checked by the types. */
const ACTIVITIES: {
  readonly [Job in keyof ClipAnalysisActivities]: readonly [
    name: string,
    create: (ports: Ports) => ClipAnalysisActivities[Job],
  ];
} = {
  startContainer: [ACTIVITY_START_CONTAINER, createStartContainer],
  sendProcessingRequest: [ACTIVITY_SEND_PROCESSING_REQUEST, createSendProcessingRequest],
  findResult: [ACTIVITY_FIND_RESULT, ({ storage }) => createFindResult({ storage, worthOf })],
  keepPicture: [ACTIVITY_KEEP_PICTURE, createKeepPicture],
  storeVerdict: [ACTIVITY_STORE_VERDICT, createStoreNotedVerdict],
  sendVideoCompleted: [ACTIVITY_SEND_VIDEO_COMPLETED, createSendVideoCompleted],
  escalate: [ACTIVITY_ESCALATE, createEscalate],
  sendFailureNotification: [ACTIVITY_SEND_FAILURE_NOTIFICATION, createSendFailureNotification],
  sendVerdict: [ACTIVITY_SEND_VERDICT, createSendVerdictToDevice],
};

type AnyActivity = readonly [string, (ports: Ports) => (input: never) => Promise<unknown>];

df.app.orchestration(ORCHESTRATION_CLIP_ANALYSIS, clipAnalysis);
for (const [name, create] of Object.values(ACTIVITIES) as readonly AnyActivity[])
  df.app.activity(name, { handler: (input) => create(ports())(input as never) });
