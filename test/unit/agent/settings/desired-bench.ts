import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import {
  createDesiredSettings,
  type DesiredSettings,
  type Settings,
} from '../../../../agent/settings/desired.ts';
import { createLog } from '../../../../agent/kernel/log.ts';

export const BASE: Settings = {
  recording: { preRollMs: 5_000, postRollMs: 30_000 },
  cameras: [
    { id: 'yard', title: 'Yard', main: 'rtsp://yard/1', sub: 'rtsp://yard/2', sensitivity: 5 },
    { id: 'gate', main: 'rtsp://gate/1', sub: 'rtsp://gate/2', credential: 'camera-gate', sensitivity: 3 },
  ],
};

/** Credentials of the appliance. */
export const HELD = ['camera-gate', 'camera-new'];

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'dacha-desired-'));
  folders.push(made);
  return made;
}

export interface Bench extends DesiredSettings {
  readonly dir: string;
  readonly applied: Settings[];
  readonly lines: string[];
  /** Takes the next version. */
  setDesired(properties: Record<string, unknown>): void;
  camera(id: string): Settings['cameras'][number] | undefined;
  /** Reasons by path. */
  reasons(): Record<string, string>;
}

/** Desired settings on a real folder. The same folder again is a restart. */
export function bench(dir = folder(), { base = BASE, held = HELD } = {}): Bench {
  const applied: Settings[] = [];
  const lines: string[] = [];
  const desired = createDesiredSettings({
    base,
    dir,
    hasCredential: (name) => (held.includes(name) ? null : 'the appliance holds no such credential'),
    apply: (settings) => applied.push(settings),
    log: createLog('debug', (line) => lines.push(line)),
  });
  return {
    ...desired,
    dir,
    applied,
    lines,
    setDesired: (properties) => desired.take({ version: desired.desired().version + 1, properties }),
    camera: (id) => desired.settings().cameras.find((camera) => camera.id === id),
    reasons: () => Object.fromEntries(desired.desired().refused.map(({ path, reason }) => [path, reason])),
  };
}
