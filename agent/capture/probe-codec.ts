import type { CameraCredential } from '@dachawatch/contracts';
import { runPipeline } from './gstreamer.ts';
import { PROBE_PIPELINE } from './pipelines.ts';

const PROBE_MS = 3_000;

/** Asks a camera what it sends: an RTP encoding name, like `H265`; undefined when it does not say in time. */
export async function probeCodec(
  url: string,
  credential: CameraCredential | null,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const probe = runPipeline({
    launch: PROBE_PIPELINE,
    url,
    credential,
    onBuffer: (_, caps) => resolve(String(caps['encoding-name'])),
    onEnd: () => resolve(undefined),
    onMessage: ({ type }) => void (type === 'error' && resolve(undefined)),
  });
  const timer = setTimeout(() => resolve(undefined), PROBE_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    probe.stop();
  }
}
