import { createInterface } from 'node:readline';
import { ClipProblem } from '../clip-problem.ts';
import { ONLY_THIS_FILE, runMediaTool } from './run-media-tool.ts';

/** A picture as it lies in the file, not decoded. */
export interface CodedPicture {
  /** When it is shown. Milliseconds from the beginning of the clip. */
  readonly atMs: number;
  readonly key: boolean;
}

const DEADLINE_MS = 60_000;
/** As many as are decoded at most, and one more. */
const MOST_PICTURES = 108_001;

/** All pictures of a clip in the order of the file, by its container alone.
 *  @param startMs where the container's time begins
 *  @returns `timeless`: the container does not tell when each is shown, and the times are those of decoding */
export async function codedPictures(
  file: string,
  startMs: number,
  { signal, whitelist = ONLY_THIS_FILE }: { signal: AbortSignal; whitelist?: readonly string[] },
): Promise<{ pictures: CodedPicture[]; timeless: boolean }> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const enough = new AbortController();
  const tool = runMediaTool(
    'ffprobe',
    [
      ...['-v', 'error', ...whitelist, '-select_streams', 'v:0'],
      ...['-show_entries', 'packet=pts_time,dts_time,flags', '-of', 'csv=p=0', file],
    ],
    { signal: AbortSignal.any([signal, deadline, enough.signal]) },
  );
  const pictures: CodedPicture[] = [];
  let timeless = false;
  // Pictures that are decoded only for those behind them: where an edit list cuts.
  let hidden = false;
  for await (const line of createInterface({ input: tool.stdout, crlfDelay: Infinity })) {
    const [shown = '', decoded = '', flags = ''] = line.split(',');
    const seconds = [shown, decoded].map(Number).find(Number.isFinite);
    if (line === '') continue;
    if (flags[1] === 'D') hidden = true;
    else {
      if (!Number.isFinite(Number(shown))) timeless = true;
      pictures.push({ atMs: (seconds ?? 0) * 1000 - startMs, key: flags.startsWith('K') || hidden });
      hidden = false;
    }
    if (pictures.length >= MOST_PICTURES) enough.abort();
  }
  await tool.ended;
  signal.throwIfAborted();
  if (deadline.aborted)
    throw new ClipProblem('analysis.deadline', `the clip could not be read in ${DEADLINE_MS / 1000} s`, {
      final: true,
    });
  return { pictures, timeless };
}
