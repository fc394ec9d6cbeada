import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GREY } from '../../../agent/capture/child/pipelines.ts';
import { Refusal } from '../bench/refusal.ts';

export type Options = ReturnType<typeof readOptions>;

/** What stands in `scripts/replay`.
 *  @throws Refusal what is wrong, in one sentence */
export function readOptions(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        out: { type: 'string', default: '.' },
        sensitivity: { type: 'string' },
        settings: { type: 'string' },
        camera: { type: 'string' },
        at: { type: 'string' },
        'every-ms': { type: 'string', default: `${1000 / GREY.framesPerSecond}` },
        'lead-in': { type: 'string', default: '0' },
        from: { type: 'string', default: '0' },
        to: { type: 'string' },
        'no-video': { type: 'boolean', default: false },
      },
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new Refusal('name one video FILE, or one kept note');
    const fromS = whole(values.from, 'from', 0, 1_000_000);
    const toS = values.to === undefined ? undefined : whole(values.to, 'to', 1, 1_000_000);
    if (toS !== undefined && toS <= fromS) throw new Refusal('--to has to be later than --from');
    if (values.camera !== undefined && values.settings === undefined)
      throw new Refusal('--camera chooses one of the cameras in the file that --settings names');
    return {
      file: resolve(file),
      out: resolve(values.out),
      video: !values['no-video'],
      sensitivity:
        values.sensitivity === undefined ? undefined : whole(values.sensitivity, 'sensitivity', 1, 10),
      settingsFile: values.settings === undefined ? undefined : resolve(values.settings),
      cameraId: values.camera,
      beginsMs: values.at === undefined ? Date.now() : moment(values.at),
      everyMs: whole(values['every-ms'], 'every-ms', 20, 10_000),
      leadInS: whole(values['lead-in'], 'lead-in', 0, 60),
      fromS,
      toS,
    };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${(error as Error).message} (scripts/replay --help lists the options)`);
  }
}

function whole(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Refusal(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
}

function moment(text: string): number {
  const value = Date.parse(text);
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && Number.isFinite(value)) return value;
  throw new Refusal(`--at takes a moment like 2026-11-22T22:15Z, not "${text}"`);
}
