/** `scripts/replay`: shows what motion detection saw. Its help stands in `scripts/replay`. */
import { runCommand } from '../command/run-command.ts';

await runCommand('scripts/replay', async () => (await import('./replay.ts')).replay, { onSignal: 'exit' });
