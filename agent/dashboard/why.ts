import type { CameraStatus } from '../capture/capture.ts';
import { type KeptRecord, replayRecord, type SuppressedStore } from '../motion/motion.ts';
import { answerContent, content, problem, type Answer } from './answer.ts';
import { json, tagsOf } from './answer-json.ts';
import type { PageRequest } from './request-handler.ts';
import { pictureStrip } from './why-picture.ts';

const PAGE_SIZE = { usual: 20, most: 50 };
const HOURS = 48;
const CAMERA = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const PICTURE = /^\/suppressed\/([^/]+)\/([^/]+)\.png$/;

/** Answers why what moved was not recorded: `GET /api/suppressed?camera=&limit=`, and a picture of each.
 *  @returns undefined for other paths */
export function createWhyRoutes(
  store: Pick<SuppressedStore, 'list' | 'get' | 'hours'> | undefined,
  cameras: () => readonly CameraStatus[],
) {
  async function list(request: PageRequest): Promise<Answer> {
    const limit = request.query.get('limit') ?? String(PAGE_SIZE.usual);
    if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > PAGE_SIZE.most)
      return problem(400, 'limit', `limit is a whole number from 1 to ${PAGE_SIZE.most}.`);
    const cameraId = request.query.get('camera');
    if (cameraId !== null && !CAMERA.test(cameraId))
      return problem(400, 'camera', 'camera is the id of a camera: letters, digits, - and _.');
    const wanted = cameraId === null ? {} : { cameraId };
    const found = (await store?.list({ limit: Number(limit), ...wanted })) ?? [];
    const hours = store?.hours({ limit: HOURS, ...wanted }) ?? [];
    const titles = new Map(cameras().map((camera) => [camera.cameraId, camera.title]));
    return json(request, {
      suppressed: found.map((kept) => whyView(kept, titles.get(kept.cameraId) ?? kept.cameraId)),
      hours: hours.map(({ hourMs, ...hour }) => ({ ...hour, hourUtc: new Date(hourMs).toISOString() })),
    });
  }

  async function picture(request: PageRequest, cameraId: string, id: string): Promise<Answer> {
    const kept = CAMERA.test(cameraId) ? await store?.get(cameraId, id) : undefined;
    if (!kept) return problem(404, 'no-such-note', 'The appliance keeps no such note any more.');
    return answerContent(content('image/png', pictureStrip(kept.record)), tagsOf(request));
  }

  return async (request: PageRequest): Promise<Answer | undefined> => {
    if (request.path === '/api/suppressed') return list(request);
    const [, cameraId, id] = PICTURE.exec(request.path) ?? [];
    return cameraId !== undefined && id !== undefined ? picture(request, cameraId, id) : undefined;
  };
}

/** One suppressed trigger, with the numbers of the largest region: the last ones, which say how long a stay became. */
function whyView({ id, cameraId, record }: KeptRecord, cameraTitle: string) {
  const sightings = (record.last ?? record).models.flatMap((model) => model.sightings);
  const size = ([left, top, right, bottom]: readonly number[]) =>
    ((right ?? 0) - (left ?? 0)) * ((bottom ?? 0) - (top ?? 0));
  const largest = sightings.toSorted((a, b) => size(b.region) - size(a.region))[0];
  return {
    id,
    cameraId,
    cameraTitle,
    atUtc: new Date(record.atMs).toISOString(),
    reason: record.reason,
    replay: replayRecord(record),
    regions: sightings.length,
    largest: largest
      ? {
          share: size(largest.region),
          seenMs: largest.seenMs,
          travel: largest.travel,
          stays: largest.stays.map(({ zone, ms }) => ({ zone, ms })),
        }
      : null,
    picture: record.pictures.length > 0 ? `/suppressed/${cameraId}/${id}.png` : null,
  };
}
