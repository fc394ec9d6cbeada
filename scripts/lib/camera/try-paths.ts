/** `scripts/camera find --try-paths`: RTSP addresses that cameras are known to have, for those without ONVIF. */
import { askStream, type StreamFinding } from '../../../agent/capture/rtsp/ask-stream.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { readHost } from './host.ts';
import { givenLogin } from './login.ts';
import type { CameraOptions } from './options.ts';
import { say, sayJson, tell } from './say.ts';

/** Main and small stream, and whose cameras have them. */
const KNOWN_PATHS: readonly (readonly [maker: string, main: string, sub: string])[] = [
  ['TP-Link, Imou and others', '/stream1', '/stream2'],
  ['Hikvision', '/Streaming/Channels/101', '/Streaming/Channels/102'],
  ['Dahua, Amcrest', '/cam/realmonitor?channel=1&subtype=0', '/cam/realmonitor?channel=1&subtype=1'],
  ['Reolink', '/h264Preview_01_main', '/h264Preview_01_sub'],
  ['Axis', '/axis-media/media.amp', '/axis-media/media.amp?resolution=640x360'],
  ['Hanwha', '/profile2/media.smp', '/profile3/media.smp'],
  ['Uniview', '/unicast/c1/s0/live', '/unicast/c1/s1/live'],
  ['Foscam', '/videoMain', '/videoSub'],
  ['cheap cameras', '/11', '/12'],
  ['cheap cameras', '/live/ch0', '/live/ch1'],
  ['cheap cameras', '/ch0_0.h264', '/ch0_1.h264'],
  ['cheap cameras', '/onvif1', '/onvif2'],
  ['cheap cameras', '/av0_0', '/av0_1'],
  ['mediamtx, simulated cameras', '/main', '/sub'],
];
const RTSP_PORT = 554;
const ANSWER_MS = 5_000;
/** A camera that answers nothing is not asked for the rest. */
const SILENT_MAX = 2;

interface Tried {
  readonly host: string;
  /** Those that exist. */
  readonly streams: readonly { readonly address: string; readonly problem: string | null }[];
  /** Why the others were not tried; null: all were. */
  readonly trouble: string | null;
}

/** @returns 0 when a stream was found */
export async function tryPaths(options: CameraOptions, signal: AbortSignal): Promise<number> {
  const credential = await givenLogin(options, signal);
  const hosts: Tried[] = [];
  for (const text of options.words) {
    const { host, port } = readHost(text, RTSP_PORT);
    const at = port === RTSP_PORT ? host : `${host}:${port}`;
    tell(`trying ${KNOWN_PATHS.length * 2} known RTSP addresses at ${at}, one after the other`);
    hosts.push({ host: at, ...(await tryHost(at, credential, signal)) });
  }
  if (options.json) sayJson({ hosts });
  else for (const line of hosts.flatMap(linesOf)) say(line);
  return hosts.some(({ streams }) => streams.length > 0) ? 0 : 1;
}

async function tryHost(
  at: string,
  credential: Parameters<typeof askStream>[0]['credential'],
  signal: AbortSignal,
): Promise<Omit<Tried, 'host'>> {
  const streams: { address: string; problem: string | null }[] = [];
  let silent = 0;
  for (const [, ...paths] of KNOWN_PATHS)
    for (const [index, path] of paths.entries()) {
      const address = `rtsp://${at}${path}`;
      const asked = { name: index === 0 ? 'main' : 'sub', address, credential } as const;
      const finding = await answerOf(asked, signal);
      signal.throwIfAborted();
      if (finding.kind === 'refused')
        return {
          streams,
          trouble: `${finding.why}; the rest was not tried, so that it does not lock us out`,
        };
      if (finding.kind === 'silent' && ++silent >= SILENT_MAX) return { streams, trouble: finding.why };
      if (finding.kind === 'watchable') streams.push({ address, problem: null });
      // Another codec, or a login that is missing: there is something at this address.
      if (finding.kind === 'unwatchable' && /^it is /.test(finding.why))
        streams.push({ address, problem: finding.why });
      if (finding.kind === 'unwatchable' && finding.why.startsWith('401'))
        return { streams, trouble: `${finding.why}: give it by --user NAME or --camera-login FILE` };
    }
  return { streams, trouble: null };
}

async function answerOf(
  stream: Parameters<typeof askStream>[0],
  signal: AbortSignal,
): Promise<StreamFinding | { readonly kind: 'silent'; readonly why: string }> {
  try {
    return await askStream(stream, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { kind: 'silent', why: error.message };
  }
}

function linesOf({ host, streams, trouble }: Tried): string[] {
  return [
    `${host}${streams.length === 0 ? ': none of the known addresses' : ''}`,
    ...streams.map(({ address, problem }) => `  ${address}${problem === null ? '' : `  ${problem}`}`),
    ...(trouble === null ? [] : [`  ${trouble}`]),
  ];
}
