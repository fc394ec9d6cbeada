import { mkdirSync } from 'node:fs';
import { systemClock } from '../../../../agent/kernel/clock.ts';
import { createWorld } from '../../../../test/unit/agent/dashboard/dashboard-world.ts';
import { openBenchLedger } from '../bench-ledger.ts';
import { median } from '../motion/score.ts';
import { fillLedger } from '../upload/ledger-cost.ts';

const CLIPS = 10_000;
const CALLS = 50;

export interface AnswerTimes {
  readonly clips: number;
  readonly slowest: readonly {
    readonly path: string;
    readonly calls: number;
    readonly medianMs: number;
    readonly slowestMs: number;
  }[];
}

/** How long the page's answers take with a real ledger of many clips, one at a time, on loopback. */
export async function answerTimes(dir: string): Promise<AnswerTimes> {
  mkdirSync(dir, { recursive: true });
  fillLedger(dir, CLIPS);
  const ledger = openBenchLedger(dir);
  const { dashboard } = createWorld({ ledger, clock: systemClock });
  try {
    await dashboard.start();
    const first = (await (await fetch(`${dashboard.url()}/api/clips?limit=100`)).json()) as {
      next: string;
      revision: number;
    };
    const paths = [
      '/api/status?lang=uk',
      '/api/last-night',
      '/api/clips?limit=20&lang=uk',
      `/api/clips?limit=100&before=${first.next}&lang=uk`,
      `/api/clips/changes?after=${first.revision - 400}&lang=uk`,
      `/api/clips/${first.next}?lang=uk`,
    ];
    const slowest = [];
    for (const path of paths) {
      const times: number[] = [];
      for (let call = 0; call < CALLS; call += 1) {
        const before = performance.now();
        await (await fetch(`${dashboard.url()}${path}`)).arrayBuffer();
        times.push(performance.now() - before);
      }
      slowest.push({
        path: path
          .replace(/\?.*limit=100.*/, '?limit=100&before=…')
          .replace(/\/api\/clips\/[0-9A-Z]{26}.*/, '/api/clips/<id>'),
        calls: CALLS,
        medianMs: tenth(median(times) ?? 0),
        slowestMs: tenth(Math.max(...times)),
      });
    }
    return { clips: CLIPS, slowest };
  } finally {
    await dashboard.stop();
    ledger.close();
  }
}

const tenth = (ms: number) => Math.round(ms * 10) / 10;
