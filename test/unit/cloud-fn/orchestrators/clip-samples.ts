import type { AnalysisDetails, ProcessingResult } from '@dachawatch/contracts';
import type { ClipAnalysisInput } from '../../../../cloud-fn/orchestrators/clip-analysis-steps.ts';

export const CLIP_ID = '01JD3V7Q8ZK4M6N8P0R2S4T6V8';
export const BLOB_NAME = `house-1/gate/2026/11/21/${CLIP_ID}.mp4`;

export const analysisInput = (more: Partial<ClipAnalysisInput> = {}): ClipAnalysisInput => ({
  version: 2,
  clip: {
    clip_id: CLIP_ID,
    device_id: 'house-1',
    camera_id: 'gate',
    blobName: `dacha-video/${BLOB_NAME}`,
    blobUrl: `https://storage.test/dacha-video/${BLOB_NAME}`,
  },
  waitMs: 360_000,
  revision: 1,
  ...more,
});

type Detection = AnalysisDetails['detections'][number];

export const detection = (label: string, more: Partial<Detection> = {}): Detection => ({
  label,
  count_max: 1,
  confidence_max: 0.9,
  first_ms: 5_000,
  last_ms: 9_000,
  frames: 20,
  boxes: [[0.1, 0.2, 0.3, 0.4]],
  ...more,
});

export const details = (detections: Detection[], more: Partial<AnalysisDetails> = {}): AnalysisDetails => ({
  schema_version: 1,
  model: { name: 'test', sha256: '0'.repeat(64), licence: 'Apache-2.0' },
  frames: { decoded: 450, analysed: 150 },
  detections,
  best_frame: { blobName: `${BLOB_NAME}/best.jpg`, at_ms: 6_000 },
  cpu_ms: 1000,
  strategy: 'fixed-rate',
  ...more,
});

export const result = (
  about: ProcessingResult['details'],
  more: Partial<ProcessingResult> = {},
): ProcessingResult => ({
  instance_id: 'clip-0123456789abcdef0123456789abcdef',
  blobUrl: `https://storage.test/dacha-video/${BLOB_NAME}`,
  blobName: `dacha-video/${BLOB_NAME}`,
  status: 'PROCESSED',
  start_timestamp: '2026-11-21T12:00:00Z',
  stop_timestamp: '2026-11-21T12:00:05Z',
  details: about,
  ...more,
});
