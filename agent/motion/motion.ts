export type { MotionDecision } from './decision.ts';
export {
  createMotionDetector,
  type MotionDetector,
  type MotionDetectorDeps,
} from './detector.ts';
export type { FrameSize } from './frame-size.ts';
export type { Region } from './region-list.ts';
export { replaySignature, type Signature } from './suppressed/record.ts';
export { pixelsOf, THUMBNAIL } from './suppressed/pictures.ts';
export { createSignatureSampler } from './suppressed/sampler.ts';
export { createSignatureStore, type KeptSignature, type SignatureStore } from './suppressed/store.ts';
export { createMotionGate, type GateDecision, type MotionGate } from './zones/gate.ts';
export { causeText, type Cause } from './zones/judge.ts';
