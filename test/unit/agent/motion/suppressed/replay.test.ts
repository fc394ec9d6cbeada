import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zone } from '@dachawatch/contracts';
import type { MotionDecision, Region } from '../../../../../agent/motion/motion.ts';
import { replayRecord, type SuppressedRecord } from '../../../../../agent/motion/suppressed/record.ts';
import type { ZoneSettings } from '../../../../../agent/motion/zones/judge.ts';
import { moving, type Script, SIZE, unsure } from '../zones/gate-rig.ts';
import { createSamplerRig } from './rig.ts';

const { width, height } = SIZE;

/** Settings, regions and reasons as they come, with corners on pixels, where those of the model lie. */
function createDice(seed: number) {
  let state = seed;
  const share = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const below = (n: number) => Math.floor(share() * n);
  const region = (least: number): Region => {
    const [left, top] = [below(300), below(160)];
    const right = left + least + below(width - left - least);
    const bottom = top + least + below(height - top - least);
    return [left / width, top / height, right / width, bottom / height];
  };
  const polygon = (): [number, number][] => {
    const [left, top, right, bottom] = region(5);
    return [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
    ];
  };
  const maybe = <T extends object>(odds: number, make: () => T): T | object => (share() < odds ? make() : {});
  const zone = (_: unknown, n: number): Zone => ({
    id: `z${n}`,
    polygon: polygon(),
    ...maybe(0.5, () => ({ dwellMs: below(3_000) })),
    ...maybe(0.5, () => ({ minSize: share() / 5 })),
    ...maybe(0.3, () => ({ sensitivity: 1 + below(10) })),
    ...maybe(0.3, () => ({ schedule: [{ from: `0${below(10)}:00`, to: `1${below(10)}:00` }] })),
  });
  return {
    settings(): Partial<ZoneSettings> {
      const zones = Array.from({ length: below(4) }, zone);
      const line = { id: 'l', from: [0.1, 0.1], to: [0.2, 0.1], direction: 'both' } as const;
      if (zones.length > 0) return { zones };
      return share() < 0.5 ? {} : { zones, lines: [{ ...line, from: [...line.from], to: [...line.to] }] };
    },
    decisions(): MotionDecision[] {
      const reasons = ['too-small', 'in-place', 'lighting'] as const;
      return Array.from({ length: 12 }, () => {
        const regions = Array.from({ length: 1 + below(3) }, () => region(4));
        return share() < 0.6 ? moving(...regions) : unsure(reasons[below(3) as 0 | 1 | 2], ...regions);
      });
    },
    below,
  };
}

test('whatever moved and whatever the zones: a stored note comes to the very reason that was decided', () => {
  const dice = createDice(2_026);
  const told = new Map<string, number>();
  for (let round = 0; round < 1_000; round++) {
    const decisions = dice.decisions();
    const still = dice.below(2) === 0;
    const script: Script = (atMs, sensitivity) => {
      const n = still ? 0 : Math.round(atMs / 200) + sensitivity;
      return decisions[n % decisions.length] as MotionDecision;
    };
    const notes: string[] = [];
    const rig = createSamplerRig(dice.settings(), script, (record) => notes.push(JSON.stringify(record)));
    for (let n = 0; n < 40; n++) rig.show(n, ({ kind }) => kind === 'suppressed' && n % 4 === 0);
    for (const note of notes) {
      const record = JSON.parse(note) as SuppressedRecord;
      const { reason } = record;
      assert.deepEqual(replayRecord(record), { kind: 'suppressed', reason }, note);
      told.set(reason, (told.get(reason) ?? 0) + 1);
    }
  }
  for (const reason of ['outside-zones', 'zone-inactive', 'zone-too-small', 'zone-dwell', 'in-place'])
    assert.ok((told.get(reason) ?? 0) > 5, `${reason} came ${told.get(reason)} times`);
});
