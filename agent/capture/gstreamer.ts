import { createRequire } from 'node:module';
import type { CameraCredential } from '@dachawatch/contracts';
import { Failure } from '../kernel/failure.ts';
import { FLOW, PICTURES, SINK, SOURCE } from './pipelines.ts';

// The addon's entry has no extension, which `import` does not resolve.
const gstreamer = createRequire(import.meta.url)(
  'gstreamer-superficial',
) as typeof import('gstreamer-superficial');

/** How often it is looked whether packets come. */
const FLOW_MS = 500;

/** A message of a pipeline's bus, as far as we read it. */
export interface BusMessage {
  readonly type: string;
  readonly message?: string;
  readonly debug?: string;
}

export type Caps = Readonly<Record<string, unknown>>;

export interface RunningPipeline {
  /** Sets a property of an element while it runs. */
  set(element: string, property: string, value: boolean | number): void;
  stop(): void;
}

export interface PipelineDeps {
  readonly launch: string;
  readonly url: string;
  readonly credential: CameraCredential | null;
  /** One buffer of the sink; the next is asked for when it returns. */
  onBuffer(buffer: Buffer, caps: Caps): void;
  /** One buffer of the sink of pictures, if the pipeline has one. */
  onPicture?: ((buffer: Buffer, caps: Caps) => void) | undefined;
  /** Called now and then while packets come, if the pipeline has a sink for that. */
  onPacket?: (() => void) | undefined;
  /** The stream is over. */
  onEnd(): void;
  onMessage(message: BusMessage): void;
}

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

/** A pipeline that knows its camera and does not play yet. */
export function preparePipeline({
  launch,
  url,
  credential,
}: Pick<PipelineDeps, 'launch' | 'url' | 'credential'>) {
  const pipeline = parseLaunch(launch);
  const source = pipeline.findChild(SOURCE);
  if (!source) throw new Failure('bug', 'capture.launch', 'A pipeline lacks its source');
  setText(source, 'location', url);
  if (credential) {
    setText(source, 'user-id', credential.username);
    setText(source, 'user-pw', credential.password);
  }
  return pipeline;
}

/** Starts a pipeline. It can be stopped, but not started again: a stopped RTSP source never delivers again, and a
 *  pipeline is never freed, so the process ends with it. While it runs it holds one thread of libuv's pool for
 *  its bus and one for each sink. */
export function runPipeline(deps: PipelineDeps): RunningPipeline {
  const pipeline = preparePipeline(deps);
  // Looking up an element leaks a reference to it: once is enough.
  const elements = new Map<string, Record<string, unknown>>();
  function element(name: string) {
    const found = elements.get(name) ?? pipeline.findChild(name);
    if (!found) throw new Failure('bug', 'capture.launch', `A pipeline lacks its ${name}`);
    elements.set(name, found);
    return found as NonNullable<ReturnType<typeof pipeline.findChild>>;
  }
  const { onPicture, onPacket } = deps;
  let stopped = false;
  pipeline.pollBus((message) => {
    if (!stopped) deps.onMessage(message);
  });
  // A pull before play answers null at once.
  pipeline.play();
  pullAll(
    SINK,
    (buffer, caps) => deps.onBuffer(buffer, caps),
    () => deps.onEnd(),
  );
  // Behind a closed valve the end of the stream is not seen.
  if (onPicture) pullAll(PICTURES, onPicture, () => undefined);
  if (onPacket) pullSome(onPacket);

  function pullAll(name: string, onBuffer: PipelineDeps['onBuffer'], onEnd: () => void): void {
    const sink = element(name);
    sink.pull?.((buffer, caps) => {
      if (stopped) return;
      if (!buffer) return onEnd();
      onBuffer(buffer, caps);
      pullAll(name, onBuffer, onEnd);
    });
  }

  function pullSome(onSome: () => void): void {
    element(FLOW).pull?.((buffer) => {
      if (stopped || !buffer) return;
      onSome();
      setTimeout(() => pullSome(onSome), FLOW_MS).unref();
    });
  }

  return {
    set: (name, property, value) => {
      element(name)[property] = value;
    },
    stop: () => {
      stopped = true;
      pipeline.stop();
    },
  };
}

/** C strings end at a zero byte: what follows it would be cut off silently. */
function setText(element: Record<string, unknown>, property: string, text: string): void {
  if (text.includes('\0'))
    throw new Failure('rejected', 'capture.zero-byte', `The camera's ${property} holds a zero byte`);
  element[property] = text;
}
