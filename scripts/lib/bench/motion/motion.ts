/** `scripts/bench motion`: how well and how dear motion detection is, on labelled clips. */
import { parseArgs } from 'node:util';
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
import { Refusal } from '../refusal.ts';
import { progress, report, type Result, summary, type Varied } from '../report.ts';
import { isVariation, type Variation, VARIATIONS } from './vary.ts';

function readOptions(args: readonly string[]) {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        manifest: { type: 'string' },
        made: { type: 'string' },
        direct: { type: 'boolean', default: false },
        'every-ms': { type: 'string' },
        phases: { type: 'string' },
        vary: { type: 'string' },
        sensitivity: { type: 'string', default: '5' },
        only: { type: 'string', default: '' },
        cameras: { type: 'string', default: '2' },
        peer: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new Refusal(`${(error as Error).message} (scripts/bench --help lists the options)`);
  }
  const { manifest, made, direct, only, json, peer } = values;
  if ((manifest === undefined) === (made === undefined))
    throw new Refusal('motion needs --manifest FILE with the labelled clips, or --made look or --made final');
  if (made !== undefined && !Object.hasOwn(HALVES, made))
    throw new Refusal(`--made takes ${Object.keys(HALVES).join(' or ')}, not "${made}"`);
  if (peer !== undefined && peer !== 'motion') throw new Refusal(`--peer takes motion, not "${peer}"`);
  if (values['every-ms'] !== undefined && !direct)
    throw new Refusal('--every-ms goes with --direct: a camera decides itself how often it sends a picture');
  if (values.phases !== undefined && !direct)
    throw new Refusal('--phases goes with --direct: in real time the pictures fall as they come');
  if (values.vary !== undefined && !direct)
    throw new Refusal('--vary goes with --direct: a camera shows a clip as it is');
  if (values.vary !== undefined && peer !== undefined)
    throw new Refusal('--vary goes without --peer: the peer reads the clips as they are');
  return {
    manifest,
    made: made as Half | undefined,
    direct,
    only,
    json,
    peer: peer !== undefined,
    everyMs: whole(values['every-ms'] ?? `${1000 / GREY.framesPerSecond}`, 'every-ms', 20, 10_000),
    phases: whole(values.phases ?? '1', 'phases', 1, 10),
    vary: values.vary === undefined ? undefined : variation(values.vary),
    sensitivity: whole(values.sensitivity, 'sensitivity', 1, 10),
    cameras: whole(values.cameras, 'cameras', 1, 8),
  };
}

function whole(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Refusal(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
}

function variation(text: string): Variation | 'all' {
  if (text === 'all' || isVariation(text)) return text;
  throw new Refusal(`--vary takes all or one of ${VARIATIONS.join(', ')}, not "${text}"`);
}

const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

export async function benchMotion(args: readonly string[], signal: AbortSignal): Promise<void> {
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
