import type { Coding, Encoding } from './coding.ts';
import { H264 } from './h264.ts';
import { H265 } from './h265.ts';

/** Those that can be recorded and watched. Where a camera offers several, the first: every browser plays it. */
export const CODINGS: Readonly<Record<Encoding, Coding>> = { H264, H265 };
export const ENCODINGS: readonly Encoding[] = ['H264', 'H265'];
