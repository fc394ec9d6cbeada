import type { StreamName } from '../stream-error.ts';
import type { StreamMeasures } from './stream-measure.ts';

/** What is known of one stream of a camera. */
export interface CheckedStream {
  readonly stream: StreamName;
  /** How the login went, like `Digest MD5`; null: none was wanted, or it came to nothing. */
  readonly loginBy: string | null;
  /** Why it cannot be had, for a person, without its subject; null: it can. */
  readonly trouble: string | null;
  /** Null: nothing of it was seen. */
  readonly measures: StreamMeasures | null;
}
