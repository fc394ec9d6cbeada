/** What the host and the process that runs its app say to each other. */
import type { FunctionMetadata, RpcData } from '../core-api.ts';
import type { Invocation } from '../triggers/invoke.ts';

/** The host asks; each is answered. */
export type Request =
  | {
      readonly what: 'invoke';
      readonly name: string;
      readonly invocation: Invocation;
      /** What a `durableClient` input binding receives. */
      readonly durableClient: object;
    }
  /** `hostName`: of this host's own address, as the app finds it in `WEBSITE_HOSTNAME`. */
  | { readonly what: 'started'; readonly hostName: string | undefined }
  | { readonly what: 'terminating' };

export type Asked = Request & { readonly id: number };

export type Answer =
  | { readonly id: number; readonly value: RpcData | undefined }
  | { readonly id: number; readonly error: { readonly message: string; readonly stack: string } }
  /** What was thrown is no Error. */
  | { readonly id: number; readonly thrown: string };

/** The first word of the app's process: what it has loaded, or why it could not. */
export type Loaded = { readonly functions: readonly FunctionMetadata[] } | { readonly failed: string };

export const isAnswer = (message: unknown): message is Answer =>
  typeof message === 'object' && message !== null && 'id' in message;

export const isLoaded = (message: unknown): message is Loaded =>
  typeof message === 'object' && message !== null && ('functions' in message || 'failed' in message);
