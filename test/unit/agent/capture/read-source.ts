import { preparePipeline } from '../../../../agent/capture/gstreamer.ts';
import { SOURCE } from '../../../../agent/capture/pipelines.ts';

/** What GStreamer itself holds after an address and a login were set. Nothing is played. */
export function readSource(launch: string, login: { url: string; username: string; password: string }) {
  const { url, ...credential } = login;
  const pipeline = preparePipeline({ launch, url, credential });
  const source = pipeline.findChild(SOURCE);
  return {
    url: source?.['location'],
    username: source?.['user-id'],
    password: source?.['user-pw'],
    evil: pipeline.findChild('evil') !== undefined,
  };
}
