/** The process behind `care.ts`: looks one database over, or makes its backup, and says what came of it. */
import { systemClock } from '../kernel/clock.ts';
import { classify } from '../kernel/classify.ts';
import { backUpDatabase } from './backup.ts';
import type { CareMessage, CareTask } from './care.ts';
import { restoreDatabase } from './restore.ts';

const [task, dir = '', ...flags] = process.argv.slice(2);
const parent = process.ppid;

async function answer(): Promise<CareMessage> {
  try {
    if (task === ('back-up' satisfies CareTask)) {
      await backUpDatabase(dir);
      return { finding: 'backed-up' };
    }
    return {
      finding: await restoreDatabase({
        dir,
        clock: systemClock,
        leaveDamaged: flags.includes('--leave-damaged'),
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
