/** The process behind `care.ts`: looks one database over, or makes its backup, and says what came of it. */
import { writeSync } from 'node:fs';
import { systemClock } from '../../kernel/clock.ts';
import { classify } from '../../kernel/classify.ts';
import { type CareMessage, type CareOrder, type CareTask, STEPS_FD } from './care.ts';
import { createReads } from './reads.ts';

const [task, dir = '', given = ''] = process.argv.slice(2);
const order = JSON.parse(given) as CareOrder;
const parent = process.ppid;

/** At once: after a crash it must be known which one it was. */
const step = (what: string) => void writeSync(STEPS_FD, `${what.replaceAll('\n', ' ')}\n`);

async function answer(): Promise<CareMessage> {
  try {
    if (task === ('back-up' satisfies CareTask)) {
      const { backUpDatabase } = await import('./backup.ts');
      await backUpDatabase(dir, step);
      return { finding: 'backed-up' };
    }
    const { restoreDatabase } = await import('./restore.ts');
    return {
      finding: await restoreDatabase({
        dir,
        clock: systemClock,
        known: order.known,
        reads: createReads({ note: step, crashed: new Set(order.crashed) }),
        onStep: step,
        // Whoever starts next cares for itself.
        isWanted: () => process.ppid === parent,
      }),
    };
  } catch (error) {
    const { kind, code, message } = classify(error, 'ledger.care');
    return { failure: { kind, code, message } };
  }
}

// It stays until it is ended: an answer may be read after its sender's end is seen.
process.on('disconnect', () => process.exit(0));
process.channel?.ref();
process.send?.(await answer());
