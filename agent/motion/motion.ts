export type { MotionDecision } from './decision.ts';
export {
  createMotionDetector,
  type MotionDetector,
  type MotionDetectorDeps,
} from './detector.ts';
export { BLIND_SENTENCES, createSight } from './sight/sight.ts';
export type { FrameSize } from './frame-size.ts';
export type { Region } from './region-list.ts';
export { replayRecord, type SuppressedRecord } from './suppressed/record.ts';
export { pixelsOf, THUMBNAIL } from './suppressed/pictures.ts';
export { createSuppressedSampler } from './suppressed/sampler.ts';
export { createSuppressedStore, type KeptRecord, type SuppressedStore } from './suppressed/store.ts';
export { createMotionGate, type MotionGate } from './zones/gate.ts';
export type { GateDecision } from './zones/zone-model.ts';
export { causeText, type Cause } from './zones/judge.ts';
