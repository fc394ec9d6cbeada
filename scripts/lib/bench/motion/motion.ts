/** `scripts/bench motion`: how well and how dear motion detection is, on labelled clips. */
import { GREY } from '../../../../agent/capture/child/pipelines.ts';
import { prepareFootage } from '../../../../hardware/simulators/camera/footage.ts';
import { cacheDir } from '../../places.ts';
import { runDirect } from './direct.ts';
import { runLive } from './live.ts';
import { type BenchClip, readManifest } from './manifest.ts';
import { measure, type Run } from './measure.ts';
import { makeClips } from './made/make.ts';
import { HALVES, type Half } from './made/recipes.ts';
import { runPeer } from './peer-motion.ts';
import { choice, flag, readArguments, requireNoWords, text, whole } from '../../command/arguments.ts';
import { Refusal } from '../../command/ends.ts';
import { progress, report, type Result, summary, type Varied } from '../report.ts';
import { type Variation, VARIATIONS } from './vary.ts';

function readOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/bench', args, {
    manifest: text,
    made: choice(Object.keys(HALVES) as Half[]),
    direct: flag,
    'every-ms': whole(20, 10_000),
    'keys-ms': whole(200, 10_000),
    phases: whole(1, 10),
    vary: choice(['all', ...VARIATIONS]),
    sensitivity: whole(1, 10),
    only: text,
    cameras: whole(1, 8),
    peer: choice(['motion']),
    json: flag,
  });
  requireNoWords(words);
  const { manifest, made, direct, peer, cameras } = values;
  if ((manifest === undefined) === (made === undefined))
    throw new Refusal('motion needs --manifest FILE with the labelled clips, or --made look or --made final');
  if (values['every-ms'] !== undefined && !direct)
    throw new Refusal('--every-ms goes with --direct: a camera decides itself how often it sends a picture');
  if (values['keys-ms'] !== undefined && !direct)
    throw new Refusal('--keys-ms goes with --direct: a camera decides itself where its key pictures are');
  if (values['keys-ms'] !== undefined && values['every-ms'] !== undefined)
    throw new Refusal(
      '--keys-ms goes without --every-ms: adaptive decoding decides which pictures are looked at',
    );
  if (values.phases !== undefined && !direct)
    throw new Refusal('--phases goes with --direct: in real time the pictures fall as they come');
  if (values.vary !== undefined && !direct)
    throw new Refusal('--vary goes with --direct: a camera shows a clip as it is');
  if (values.vary !== undefined && peer !== undefined)
    throw new Refusal('--vary goes without --peer: the peer reads the clips as they are');
  if (cameras !== undefined && direct && peer === undefined)
    throw new Refusal('--cameras has no effect with --direct: at full speed one clip is measured at a time');
  return {
    manifest,
    made,
    direct,
    only: values.only ?? '',
    json: values.json,
    peer: peer !== undefined,
    everyMs: values['every-ms'] ?? 1000 / GREY.framesPerSecond,
    keysMs: values['keys-ms'],
    phases: values.phases ?? 1,
    vary: values.vary,
    sensitivity: values.sensitivity ?? 5,
    cameras: cameras ?? 2,
  };
}

const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

export async function benchMotion(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  const made = { cacheDir: cacheDir(), onProgress: tell, signal };
  const manifest = options.manifest ?? (await makeClips(options.made ?? 'look', made));
  const clips = await readManifest(manifest, options.only);
  const ours = async (clip: BenchClip, shownAs?: Variation): Promise<readonly Run[]> =>
    options.direct
      ? runDirect(clip, { ...options, variation: shownAs })
      : [await twice(clip, signal, () => runLive(clip, { ...options, cacheDir: cacheDir(), signal }))];
  if (!options.direct || options.peer) await prepareAll(clips, signal);
  // At full speed one at a time: what shares a core costs more.
  const watch = (shownAs?: Variation) =>
    side(options.direct ? 1 : options.cameras, clips, signal, async (clip) => {
      const measured = (await ours(clip, shownAs)).map((run) => measure(clip, run));
      for (const one of measured) tell(progress(shownAs ?? 'ours', clip, one));
      return measured;
    });
  const results = await watch(options.vary === 'all' ? undefined : options.vary);
  const peers = options.peer
    ? await side(options.cameras, clips, signal, async (clip) => {
        const measured = measure(
          clip,
          await twice(clip, signal, () => runPeer(clip, { cacheDir: cacheDir(), signal })),
        );
        tell(progress('motion', clip, measured));
        return [measured];
      })
    : [];
  const all = clips.map(
    (clip, index): Result => ({ clip, ours: results[index] ?? [], motion: peers[index] ?? [] }),
  );
  const varied: Varied[] = [];
  for (const kind of options.vary === 'all' ? VARIATIONS : []) {
    const shown = await watch(kind);
    const ofClips = clips.map((clip, index): Result => ({ clip, ours: shown[index] ?? [], motion: [] }));
    varied.push({ kind, results: ofClips });
  }
  const told = options.json ? JSON.stringify(summary(all, options, varied)) : report(all, options, varied);
  process.stdout.write(`${told}\n`);
  return 0;
}

/** Real time cannot wait: a machine that was too busy for a moment gets one more chance, and it is told. */
async function twice(clip: BenchClip, signal: AbortSignal, run: () => Promise<Run>): Promise<Run> {
  try {
    return await run();
  } catch (error) {
    if (signal.aborted) throw error;
    tell(`${clip.file}: ${(error as Error).message}; once more`);
  }
  return run().catch((error: Error) => {
    throw new Error(`${clip.file}: ${error.message}`, { cause: error });
  });
}

/** Encodes what the camera will show, so that nothing else uses the machine while it is measured. */
async function prepareAll(clips: readonly BenchClip[], signal: AbortSignal): Promise<void> {
  for (const { path, file } of clips) {
    const onProgress = (sentence: string) => tell(`${file}: ${sentence}`);
    await prepareFootage({ video: path, cacheDir: cacheDir(), onProgress, signal });
  }
}

/** Works on `count` clips at a time; the first failure ends it.
 *  @returns results in the order of the clips */
async function side<T>(
  count: number,
  clips: readonly BenchClip[],
  signal: AbortSignal,
  work: (clip: BenchClip) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  const waiting = [...clips.entries()];
  let failed = false;
  const worker = async () => {
    for (let next = waiting.shift(); next && !failed; next = waiting.shift()) {
      if (signal.aborted) throw new Error('interrupted');
      try {
        results[next[0]] = await work(next[1]);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: count }, worker));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  return results;
}
