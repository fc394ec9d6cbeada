import { lstat } from 'node:fs/promises';
import { isClipId } from '@dachawatch/contracts';
import type { CameraStatus } from '../capture/capture.ts';
import { type Clip, type Ledger, thumbnailOf } from '../ledger/ledger.ts';
import { type Answer, problem } from './answer.ts';
import { json } from './answer-json.ts';
import type { PageRequest } from './request-handler.ts';
import { noSuchLanguage, type Say, type SayIn } from './reasons.ts';
import { clipView, custodyView } from './views.ts';

export interface ClipRoutes {
  /** `GET /api/clips?limit=&before=`: newest first, page by page. */
  readonly list: (request: PageRequest) => Promise<Answer>;
  /** `GET /api/clips/changes?after=`: those that have changed since a revision, at most as many as a page may have. */
  readonly changes: (request: PageRequest) => Promise<Answer>;
  /** `GET /api/clips/<id>`: with its custody. */
  readonly one: (request: PageRequest, clip: Clip) => Promise<Answer>;
}

const PAGE_SIZE = { usual: 20, most: 100 };

/** What the page is told of clips. */
export function createClipRoutes(deps: {
  readonly ledger: Pick<Ledger, 'clips' | 'custody' | 'changes' | 'lastChange'>;
  readonly cameras: () => readonly CameraStatus[];
  readonly say: SayIn;
}): ClipRoutes {
  const { ledger } = deps;
  return {
    list: async (request) => {
      const limit = request.query.get('limit') ?? String(PAGE_SIZE.usual);
      if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > PAGE_SIZE.most)
        return problem(400, 'limit', `limit is a whole number from 1 to ${PAGE_SIZE.most}.`);
      const before = request.query.get('before');
      if (before !== null && !isClipId(before))
        return problem(
          400,
          'before',
          'before is the id of a clip: 26 characters, digits and capital letters.',
        );
      const say = deps.say(request);
      if (!say) return noSuchLanguage();
      const wanted = Number(limit);
      const revision = ledger.lastChange();
      // One more than asked for tells whether there is a next page.
      const found = ledger.clips({ limit: wanted + 1, ...(before === null ? {} : { beforeClipId: before }) });
      const page = found.slice(0, wanted);
      const cameras = deps.cameras();
      return json(request, {
        revision,
        clips: await Promise.all(page.map((clip) => view(clip, cameras, say))),
        next: found.length > wanted ? (page.at(-1)?.clipId ?? null) : null,
      });
    },
    changes: async (request) => {
      const after = request.query.get('after') ?? '';
      if (!/^\d{1,15}$/.test(after))
        return problem(400, 'after', 'after is the revision that an answer had: a whole number.');
      const say = deps.say(request);
      if (!say) return noSuchLanguage();
      const revision = ledger.lastChange();
      const { clips, isWhole } = ledger.changes({ after: Number(after), limit: PAGE_SIZE.most });
      const cameras = deps.cameras();
      return json(request, {
        revision,
        // A smaller revision than was asked for: the ledger was begun anew.
        isWhole: isWhole && revision >= Number(after),
        clips: await Promise.all(clips.map((clip) => view(clip, cameras, say))),
      });
    },
    one: async (request, clip) => {
      const say = deps.say(request);
      if (!say) return noSuchLanguage();
      return json(request, {
        ...(await view(clip, deps.cameras(), say)),
        custody: ledger.custody(clip.clipId).map((entry) => custodyView(entry, say)),
      });
    },
  };
}

async function view(clip: Clip, cameras: readonly CameraStatus[], say: Say) {
  const camera = cameras.find(({ cameraId }) => cameraId === clip.cameraId);
  const finished = clip.state !== 'recording' && clip.state !== 'lost';
  return clipView(clip, {
    title: camera?.title ?? clip.cameraId,
    hasFile: finished && (await isThere(clip.file)),
    hasThumbnail: await hasThumbnail(clip),
    say,
  });
}

/** Whether a small picture lies beside a clip. */
export const hasThumbnail = ({ file }: Pick<Clip, 'file'>) => isThere(thumbnailOf(file));

const isThere = (file: string) =>
  lstat(file).then(
    (entry) => entry.isFile(),
    () => false,
  );
