/** Refuses words that `scripts/test` could do nothing with, before anything is installed or runs. */
import { runCommand } from '../command/run-command.ts';

await runCommand('scripts/test', async () => (await import('./selection.ts')).refuseUselessWords, {
  onSignal: 'exit',
});
