/** `scripts/run`: the whole product on this machine, with a camera to watch. Its help stands in `scripts/run`. */
import { runCommand } from '../command/run-command.ts';

// Whatever anybody of us writes is for its owner alone.
process.umask(0o077);
await runCommand('scripts/run', async () => (await import('./product.ts')).runProduct, {
  onSignal: 'abort',
});
