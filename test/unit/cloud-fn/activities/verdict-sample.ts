import type { Verdict } from '@dachawatch/contracts';
import { BLOB_NAME, CLIP_ID } from '../orchestrators/clip-samples.ts';

export const verdictOfClip = (more: Partial<Verdict> = {}): Verdict => ({
  clip_id: CLIP_ID,
  revision: 1,
  instance_id: 'clip-0123456789abcdef0123456789abcdef',
  verdict: 'person',
  labels: ['person'],
  confidence: 0.87,
  best_frame: {
    blobName: BLOB_NAME.replace('.mp4', '.best.jpg'),
    at_ms: 6_000,
    boxes: [{ label: 'person', box: [0.1, 0.2, 0.3, 0.4] }],
  },
  decided_utc: '2026-11-21T12:00:06.000Z',
  decision: 'notified',
  reason: 'person seen.',
  ...more,
});
