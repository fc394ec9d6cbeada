/** `scripts/fsck`: checks ledger, clip files and blobs against the invariants. Its help stands in `scripts/fsck`. */
import { runCommand } from '../command/run-command.ts';

await runCommand('scripts/fsck', async () => (await import('./check.ts')).fsck, { onSignal: 'exit' });
