import { isClipId } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import { type ApplianceSources, readAppliance, readClipNews } from '../health/health.ts';
import type { LinkStatus } from '../hub/hub.ts';
import type { Clock } from '../kernel/clock.ts';
import { ifAnswers } from '../kernel/if-answers.ts';
import type { Log } from '../kernel/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { SuppressedStore } from '../motion/motion.ts';
import type { UploadStatus } from '../upload/upload.ts';
import { answerContent, problem, type Answer } from './answer.ts';
import { json, tagsOf } from './answer-json.ts';
import { createClipFiles } from './files/clip-files.ts';
import { createClipRoutes } from './clips.ts';
import { chooseLanguage } from './language.ts';
import { lastNightView } from './last-night.ts';
import type { PageFiles } from './files/page-files.ts';
import type { PageRequest, Route } from './request-handler.ts';
import { createSay, noSuchLanguage } from './reasons.ts';
import { statusView } from './views.ts';
import { createWhyRoutes } from './why.ts';

/** What the page asks the ledger. */
export type LedgerRead = Pick<
  Ledger,
  | 'clips'
  | 'clip'
  | 'custody'
  | 'summary'
  | 'judgedPersons'
  | 'awaitingVerdict'
  | 'glance'
  | 'lastChange'
  | 'changes'
>;

export interface RoutesDeps extends ApplianceSources {
  readonly deviceId: string;
  /** IANA name of the house's time zone. */
  readonly timeZone: string;
  readonly ledger: LedgerRead;
  readonly cameras: () => readonly CameraStatus[];
  readonly link: () => LinkStatus;
  readonly upload: () => UploadStatus;
  readonly bestFrame: (clipId: string) => Promise<string | undefined>;
  readonly suppressed?: Pick<SuppressedStore, 'list' | 'get' | 'hours'>;
  readonly files: PageFiles;
  /** The page is behind a login. */
  readonly hasLogin: boolean;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** What the page and its API answer, by path. */
export function createRoutes(deps: RoutesDeps): Route {
  const { ledger, files } = deps;
  const say = createSay();
  const clips = createClipRoutes({ ...deps, say });
  const clipFiles = createClipFiles(deps);
  const why = createWhyRoutes(deps.suppressed, deps.cameras);
  const clipPaths = [
    { pattern: /^\/api\/clips\/([^/]+)$/, answer: clips.one },
    { pattern: /^\/api\/clips\/([^/]+)\/thumbnail$/, answer: clipFiles.thumbnail },
    { pattern: /^\/clips\/([^/]+)\.mp4$/, answer: clipFiles.video },
    { pattern: /^\/clips\/([^/]+)\/best\.jpg$/, answer: clipFiles.bestFrame },
  ];

  return async (request) => {
    const { path } = request;
    if (path === '/') return index(request);
    const file = files.files.get(path);
    if (file) return answerContent(file, tagsOf(request));
    if (path === '/healthz') return json(request, { ok: true });
    if (path === '/api/status') return status(request);
    if (path === '/api/last-night') return json(request, await lastNightView(deps));
    if (path === '/api/clips') return clips.list(request);
    if (path === '/api/clips/changes') return clips.changes(request);
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
    const index = deps.hasLogin ? files.indexWithLogout : files.index;
    return answerContent(index[language], tagsOf(request), {
      'Content-Language': language,
      Vary: 'Accept-Encoding, Accept-Language, Cookie',
    });
  }

  function status(request: PageRequest): Answer {
    const inLanguage = say(request);
    if (!inLanguage) return noSuchLanguage();
    const nowMs = deps.clock.nowMs();
    const appliance = readAppliance({ ...deps, news: () => readClipNews(ledger, nowMs) });
    const view = statusView(
      {
        deviceId: deps.deviceId,
        nowMs,
        ...appliance,
        clipsRevision: ifAnswers(() => ledger.lastChange()),
      },
      inLanguage,
    );
    return json(request, view);
  }
}
