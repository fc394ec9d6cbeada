/** Clips that a bench gives to the cloud, and what a worker answers about them. */
import type { ProcessingRequest, ProcessingResult } from '@dachawatch/contracts';

/** Id of the nth clip, up to 999. */
export const madeClipId = (number: number) => `01JD3V7Q8ZK4M6N8P0R2S4T${String(number).padStart(3, '0')}`;

/** Its name in the container of the clips. */
export const madeClipName = (number: number) => `house-1/gate/2026/11/30/${madeClipId(number)}.mp4`;

interface Look {
  /** Names the model. */
  readonly by: string;
  /** Of what was seen. */
  readonly labels: readonly string[];
  /** When it began and ended. */
  readonly atUtc: string;
  readonly cpuMs: number;
}

/** What the worker answers when it has looked at a clip. */
export function lookedAt(request: ProcessingRequest, { by, labels, atUtc, cpuMs }: Look): ProcessingResult {
  const { posted: _, ...about } = request;
  return {
    ...about,
    status: 'PROCESSED',
    start_timestamp: atUtc,
    stop_timestamp: atUtc,
    details: {
      schema_version: 1,
      model: { name: by, sha256: '0'.repeat(64), licence: 'Apache-2.0' },
      frames: { decoded: 70, analysed: 14 },
      detections: labels.map((label) => ({
        label,
        count_max: 1,
        confidence_max: 0.9,
        first_ms: 500,
        last_ms: 4_000,
        frames: 8,
        boxes: [[0.4, 0.4, 0.6, 0.8]],
      })),
      cpu_ms: cpuMs,
      strategy: 'fixed-rate',
    },
  };
}
