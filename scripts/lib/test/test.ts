/** `scripts/test`: checks the whole project. Its help stands in `scripts/test`. */
import { runCommand } from '../command/run-command.ts';

await runCommand('scripts/test', async () => (await import('./run-parts.ts')).testProject, {
  onSignal: 'abort',
});
