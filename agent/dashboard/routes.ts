import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { isClipId } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import { type ApplianceSources, readAppliance } from '../health/health.ts';
import type { LinkStatus } from '../hub/hub.ts';
import type { Clock } from '../kernel/clock.ts';
import { withDeadline } from '../kernel/waiting/deadline.ts';
import { Failure } from '../kernel/failure.ts';
import { ifAnswers } from '../kernel/if-answers.ts';
import type { Log } from '../kernel/log.ts';
import type { Clip, Ledger } from '../ledger/ledger.ts';
import type { SuppressedStore } from '../motion/motion.ts';
import type { UploadStatus } from '../upload/upload.ts';
import { answerContent, problem, type Answer } from './answer.ts';
import { json, tagsOf } from './answer-json.ts';
import { createFileSender } from './file-answer.ts';
import { chooseLanguage } from './language.ts';
import type { PageFiles } from './page-files.ts';
import type { FileAnswer, PageRequest, Route } from './request-handler.ts';
import { clipView, custodyView, statusView } from './views.ts';
import { createWhyRoutes } from './why.ts';

export interface RoutesDeps extends ApplianceSources {
  readonly deviceId: string;
  readonly ledger: Pick<Ledger, 'clips' | 'clip' | 'custody' | 'summary'>;
  readonly cameras: () => readonly CameraStatus[];
  readonly link: () => LinkStatus;
  readonly upload: () => UploadStatus;
  readonly bestFrame: (clipId: string) => Promise<string | undefined>;
  readonly suppressed?: Pick<SuppressedStore, 'list' | 'get' | 'hours'>;
  readonly files: PageFiles;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

const PAGE_SIZE = { usual: 20, most: 100 };
/** Clips and pictures being sent at once. A browser opens six connections. */
const MAX_FILES_AT_ONCE = 12;
/** Clips that `clipsRevision` looks at one by one; of older ones it sees the totals. */
const WATCHED_CLIPS = 40;
/** A picture that storage does not give in this time is asked for again by the page, later. */
const BEST_FRAME_DEADLINE_MS = 20_000;
const MAX_BEST_FRAMES_AT_ONCE = 8;

/** What the page and its API answer, by path. */
export function createRoutes(deps: RoutesDeps): Route {
  const { ledger, files, log } = deps;
  const sender = createFileSender(MAX_FILES_AT_ONCE);
  const why = createWhyRoutes(deps.suppressed, deps.cameras);
  const fetching = new Map<string, Promise<string | undefined>>();
  const clipPaths = [
    { pattern: /^\/api\/clips\/([^/]+)$/, answer: wholeClip },
    { pattern: /^\/clips\/([^/]+)\.mp4$/, answer: video },
    { pattern: /^\/clips\/([^/]+)\/best\.jpg$/, answer: bestFrame },
  ];

  return async (request) => {
    const { path } = request;
    if (path === '/') return index(request);
    const file = files.files.get(path);
    if (file) return answerContent(file, tagsOf(request));
    if (path === '/healthz') return json(request, { ok: true });
    if (path === '/api/status') return json(request, status());
    if (path === '/api/clips') return listClips(request);
    const reason = await why(request);
    if (reason) return reason;
    for (const { pattern, answer } of clipPaths) {
      const id = pattern.exec(path)?.[1];
      if (id === undefined) continue;
      if (!isClipId(id))
        return problem(400, 'clip-id', 'A clip id has 26 characters: digits and capital letters.');
      const clip = ledger.clip(id);
      if (!clip) return problem(404, 'no-such-clip', 'This appliance knows no clip with this id.');
      return answer(request, clip);
    }
    return problem(404, 'no-such-path', 'There is nothing at this address.');
  };

  function index(request: PageRequest): Answer {
    const language = chooseLanguage(request.headers.cookie, request.headers['accept-language']);
    return answerContent(files.index[language], tagsOf(request), {
      'Content-Language': language,
      Vary: 'Accept-Encoding, Accept-Language, Cookie',
    });
  }

  function status() {
    const newest = ifAnswers(() => ledger.clips({ limit: WATCHED_CLIPS }).map(whatMayChange));
    const appliance = readAppliance(deps);
    const { summary } = appliance;
    const clipsRevision = createHash('sha256')
      .update(JSON.stringify([newest, summary?.clips, summary?.waiting, summary?.awaitingVerdict]))
      .digest('base64url')
      .slice(0, 16);
    return statusView({
      deviceId: deps.deviceId,
      nowMs: deps.clock.nowMs(),
      ...appliance,
      clipsRevision,
    });
  }

  async function listClips(request: PageRequest): Promise<Answer> {
    const limit = request.query.get('limit') ?? String(PAGE_SIZE.usual);
    if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > PAGE_SIZE.most)
      return problem(400, 'limit', `limit is a whole number from 1 to ${PAGE_SIZE.most}.`);
    const before = request.query.get('before');
    if (before !== null && !isClipId(before))
      return problem(400, 'before', 'before is the id of a clip: 26 characters, digits and capital letters.');
    const wanted = Number(limit);
    // One more than asked for tells whether there is a next page.
    const found = ledger.clips({ limit: wanted + 1, ...(before === null ? {} : { beforeClipId: before }) });
    const page = found.slice(0, wanted);
    const cameras = deps.cameras();
    return json(request, {
      clips: await Promise.all(page.map((clip) => view(clip, cameras))),
      next: found.length > wanted ? (page.at(-1)?.clipId ?? null) : null,
    });
  }

  async function wholeClip(request: PageRequest, clip: Clip): Promise<Answer> {
    return json(request, {
      ...(await view(clip, deps.cameras())),
      custody: ledger.custody(clip.clipId).map(custodyView),
    });
  }

  async function view(clip: Clip, cameras: readonly CameraStatus[]) {
    const camera = cameras.find(({ cameraId }) => cameraId === clip.cameraId);
    const finished = clip.state !== 'recording' && clip.state !== 'lost';
    return clipView(clip, {
      title: camera?.title ?? clip.cameraId,
      hasFile: finished && (await isThere(clip.file)),
    });
  }

  async function video(request: PageRequest, clip: Clip): Promise<Answer | FileAnswer> {
    if (clip.state === 'recording')
      return problem(409, 'recording', 'This clip is still being recorded.', { 'Retry-After': '5' });
    const gone = 'The file of this clip is not on the appliance any more.';
    if (clip.state === 'lost') return problem(410, 'gone', gone);
    return sender.answer(request, { file: clip.file, type: 'video/mp4', gone, tag: clip.sha256 });
  }

  async function bestFrame(request: PageRequest, clip: Clip): Promise<Answer | FileAnswer> {
    const none = () => problem(404, 'no-best-frame', 'There is no best frame for this clip.');
    if (!clip.verdict?.best_frame) return none();
    const later = () =>
      problem(503, 'best-frame-later', 'The best frame cannot be fetched from storage now.', {
        'Retry-After': '15',
      });
    if (!fetching.has(clip.clipId) && fetching.size >= MAX_BEST_FRAMES_AT_ONCE) return later();
    try {
      const file = await withDeadline(
        fetchOnce(clip.clipId),
        BEST_FRAME_DEADLINE_MS,
        'best frame',
        'dashboard.best-frame-late',
      );
      if (file === undefined) return none();
      const gone = 'The best frame of this clip is not on the appliance any more.';
      return await sender.answer(request, { file, type: 'image/jpeg', gone, tag: null });
    } catch (error) {
      if (!(error instanceof Failure) || error.kind === 'bug') throw error;
      log.debug({ event: 'dashboard.best-frame', clipId: clip.clipId, err: error }, 'no best frame now');
      return error.kind === 'rejected' ? none() : later();
    }
  }

  /** Two phones that ask for the same picture wait for one download. */
  function fetchOnce(clipId: string): Promise<string | undefined> {
    let running = fetching.get(clipId);
    if (!running) {
      running = deps.bestFrame(clipId).finally(() => fetching.delete(clipId));
      fetching.set(clipId, running);
    }
    return running;
  }
}

const isThere = (file: string) =>
  lstat(file).then(
    (entry) => entry.isFile(),
    () => false,
  );

const whatMayChange = ({ clipId, state, verdict, reason, attempt }: Clip) => [
  clipId,
  state,
  verdict?.revision,
  reason,
  attempt,
];
