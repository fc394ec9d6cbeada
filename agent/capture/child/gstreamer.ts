import { createRequire } from 'node:module';
import { Failure } from '../../kernel/failure.ts';
import { PICTURES, SINK, SOURCE, THUMBNAILS } from './pipelines.ts';

// The addon's entry has no extension, which `import` does not resolve.
const gstreamer = createRequire(import.meta.url)(
  'gstreamer-superficial',
) as typeof import('gstreamer-superficial');

/** A message of a pipeline's bus, as far as we read it. */
export interface BusMessage {
  readonly type: string;
  readonly message?: string;
  readonly debug?: string;
}

export type Caps = Readonly<Record<string, unknown>>;

export interface Waiting {
  readonly buffers: number;
  readonly bytes: number;
}

export interface RunningPipeline {
  /** Gives it a buffer.
   *  @param atMs when it is shown, milliseconds on its own time line, not negative */
  push(buffer: Buffer, atMs: number): void;
  /** What it was given and has not taken yet. */
  waiting(): Waiting;
  /** Sets a property of an element while it runs. */
  set(element: string, property: string, value: boolean | number): void;
  stop(): void;
}

export interface PipelineDeps {
  readonly launch: string;
  /** One buffer of the sink; the next is asked for when it returns. */
  onBuffer(buffer: Buffer, caps: Caps): void;
  /** One buffer of the sink of pictures. */
  onPicture(buffer: Buffer, caps: Caps): void;
  /** One buffer of the sink of small pictures. */
  onThumbnail(buffer: Buffer, caps: Caps): void;
  onMessage(message: BusMessage): void;
}

const NS_PER_MS = 1e6;

/** A missing plugin shows here, by the name of its element. */
function parseLaunch(launch: string) {
  try {
    return new gstreamer.Pipeline(launch);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Failure('rejected', 'capture.gstreamer', `GStreamer cannot build the pipeline: ${message}`, {
      cause: error,
    });
  }
}

/** Starts a pipeline. It is never freed, so the process ends with it. While it runs it holds one thread of libuv's pool
 *  for its bus and one for each sink.
 *  @throws Failure rejected `capture.gstreamer` */
export function runPipeline(deps: PipelineDeps): RunningPipeline {
  const pipeline = parseLaunch(deps.launch);
  // Looking up an element leaks a reference to it: once is enough.
  const elements = new Map<string, NonNullable<ReturnType<typeof pipeline.findChild>>>();
  function element(name: string) {
    const found = elements.get(name) ?? pipeline.findChild(name);
    if (!found) throw new Failure('bug', 'capture.launch', `A pipeline lacks its ${name}`);
    elements.set(name, found);
    return found;
  }
  const source = element(SOURCE);
  const stamp = Buffer.alloc(8);
  let stopped = false;
  pipeline.pollBus((message) => {
    if (!stopped) deps.onMessage(message);
  });
  // A pull before play answers null at once.
  pipeline.play();
  pullAll(SINK, (buffer, caps) => deps.onBuffer(buffer, caps));
  pullAll(PICTURES, (buffer, caps) => deps.onPicture(buffer, caps));
  pullAll(THUMBNAILS, (buffer, caps) => deps.onThumbnail(buffer, caps));

  function pullAll(name: string, onBuffer: PipelineDeps['onBuffer']): void {
    element(name).pull?.((buffer, caps) => {
      // Without a buffer the pipeline has ended: it says why on its bus.
      if (stopped || !buffer) return;
      onBuffer(buffer, caps);
      pullAll(name, onBuffer);
    });
  }

  return {
    push: (buffer, atMs) => {
      stamp.writeBigUInt64BE(BigInt(Math.round(atMs * NS_PER_MS)));
      source.push?.(buffer, stamp);
    },
    waiting: () => ({
      buffers: Number(source['current-level-buffers']),
      bytes: Number(source['current-level-bytes']),
    }),
    set: (name, property, value) => {
      element(name)[property] = value;
    },
    stop: () => {
      stopped = true;
      pipeline.stop();
    },
  };
}
