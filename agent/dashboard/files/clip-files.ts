import { Failure } from '../../kernel/failure.ts';
import type { Log } from '../../kernel/log.ts';
import { withDeadline } from '../../kernel/waiting/deadline.ts';
import type { Clip } from '../../ledger/ledger.ts';
import { type Answer, problem } from '../answer.ts';
import { createFileSender } from './file-answer.ts';
import type { FileAnswer, PageRequest } from '../request-handler.ts';
import { answerThumbnail } from './thumbnail.ts';

type AnswerClip = (request: PageRequest, clip: Clip) => Promise<Answer | FileAnswer>;

export interface ClipFiles {
  /** `GET /clips/<id>.mp4` */
  readonly video: AnswerClip;
  /** `GET /clips/<id>/best.jpg` */
  readonly bestFrame: AnswerClip;
  /** `GET /api/clips/<id>/thumbnail` */
  readonly thumbnail: AnswerClip;
}

/** Clips and pictures being sent at once. A browser opens six connections. */
const MAX_FILES_AT_ONCE = 12;
/** A picture that storage does not give in this time is asked for again by the page, later. */
const BEST_FRAME_DEADLINE_MS = 20_000;
const MAX_BEST_FRAMES_AT_ONCE = 8;

/** The files of a clip: its video, and the best frame, which is fetched from storage when it is asked for. */
export function createClipFiles(deps: {
  readonly bestFrame: (clipId: string) => Promise<string | undefined>;
  readonly log: Log;
}): ClipFiles {
  const sender = createFileSender(MAX_FILES_AT_ONCE);
  const fetching = new Map<string, Promise<string | undefined>>();

  async function bestFrame(request: PageRequest, clip: Clip): Promise<Answer | FileAnswer> {
    if (!clip.verdict?.best_frame) return noFrame();
    if (!fetching.has(clip.clipId) && fetching.size >= MAX_BEST_FRAMES_AT_ONCE) return frameLater();
    try {
      const file = await withDeadline(
        fetchOnce(clip.clipId),
        BEST_FRAME_DEADLINE_MS,
        'best frame',
        'dashboard.best-frame-late',
      );
      if (file === undefined) return noFrame();
      const gone = 'The best frame of this clip is not on the appliance any more.';
      return await sender.answer(request, { file, type: 'image/jpeg', gone, tag: null });
    } catch (error) {
      if (!(error instanceof Failure) || error.kind === 'bug') throw error;
      deps.log.debug({ event: 'dashboard.best-frame', clipId: clip.clipId, err: error }, 'no best frame now');
      return error.kind === 'rejected' ? noFrame() : frameLater();
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

  return {
    bestFrame,
    thumbnail: answerThumbnail,
    video: async (request, clip) => {
      if (clip.state === 'recording')
        return problem(409, 'recording', 'This clip is still being recorded.', { 'Retry-After': '5' });
      const gone = 'The file of this clip is not on the appliance any more.';
      if (clip.state === 'lost') return problem(410, 'gone', gone);
      return sender.answer(request, { file: clip.file, type: 'video/mp4', gone, tag: clip.sha256 });
    },
  };
}

const noFrame = () => problem(404, 'no-best-frame', 'There is no best frame for this clip.');
const frameLater = () =>
  problem(503, 'best-frame-later', 'The best frame cannot be fetched from storage now.', {
    'Retry-After': '15',
  });
