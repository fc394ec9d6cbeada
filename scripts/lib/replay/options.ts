import { resolve } from 'node:path';
import { GREY } from '../../../agent/capture/child/pipelines.ts';
import { flag, quoted, readArguments, text, whole } from '../command/arguments.ts';
import { Refusal } from '../command/ends.ts';
import { needFile, needFolder } from '../command/folders.ts';

export type Options = ReturnType<typeof readOptions>;

/** What stands in `scripts/replay`. The folder for what is written is made.
 *  @throws Refusal what is wrong, in one sentence */
export function readOptions(args: readonly string[]) {
  const { values, words } = readArguments('scripts/replay', args, {
    out: text,
    sensitivity: whole(1, 10),
    settings: text,
    camera: { ...text, with: ['settings'] },
    at: text,
    'every-ms': whole(20, 10_000),
    'lead-in': whole(0, 60),
    from: whole(0, 1_000_000),
    to: whole(1, 1_000_000),
    'no-video': flag,
  });
  const [file, ...more] = words;
  if (!file || more.length > 0) throw new Refusal('name one video FILE, or one kept note');
  const isNote = file.endsWith('.json');
  // They are about a video; a note is numbers that were kept.
  const ofVideo = ['sensitivity', 'at', 'every-ms', 'lead-in', 'from', 'to', 'no-video'] as const;
  const useless = ofVideo.find((name) => values[name] !== undefined && values[name] !== false);
  if (isNote && useless !== undefined)
    throw new Refusal(`--${useless} goes with a video: a kept note holds what was seen then`);
  const { from: fromS = 0, to: toS } = values;
  if (toS !== undefined && toS <= fromS) throw new Refusal('--to has to be later than --from');
  const settingsFile = values.settings === undefined ? undefined : resolve(values.settings);
  needFile(isNote ? 'the note' : 'the video', resolve(file));
  if (settingsFile !== undefined) needFile('--settings', settingsFile);
  const out = resolve(values.out ?? '.');
  needFolder('--out', out);
  return {
    file: resolve(file),
    isNote,
    out,
    video: !values['no-video'],
    sensitivity: values.sensitivity,
    settingsFile,
    cameraId: values.camera,
    beginsMs: values.at === undefined ? Date.now() : moment(values.at),
    everyMs: values['every-ms'] ?? 1000 / GREY.framesPerSecond,
    leadInS: values['lead-in'] ?? 0,
    fromS,
    toS,
  };
}

function moment(value: string): number {
  const ms = Date.parse(value);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value) && Number.isFinite(ms)) return ms;
  throw new Refusal(`--at takes a moment like 2026-11-22T22:15Z, not ${quoted(value)}`);
}
