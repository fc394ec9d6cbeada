/** The part of gstreamer-superficial 1.7.4 that we use; the package brings no types. */
declare module 'gstreamer-superficial' {
  interface Element {
    [property: string]: unknown;
    /** Only appsinks have it. `null` is the end of the stream. */
    pull?: (done: (buffer: Buffer | null, caps: Record<string, unknown>) => void) => void;
    /** Only appsrcs have it. `at` holds nanoseconds, eight bytes, big-endian. The bytes are copied. */
    push?: (buffer: Buffer, at: Buffer) => void;
  }
  export class Pipeline {
    constructor(launch: string);
    findChild(name: string): Element | undefined;
    pollBus(done: (message: { type: string; message?: string; debug?: string }) => void): void;
    play(): void;
    stop(): void;
  }
}
