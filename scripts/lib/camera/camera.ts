/** `scripts/camera`: finds cameras, explains them, sets them, adds them. Its help stands in `scripts/camera`. */
import { runCommand } from '../command/run-command.ts';

await runCommand('scripts/camera', async () => (await import('./commands.ts')).runCameraCommand, {
  onSignal: 'abort',
});
