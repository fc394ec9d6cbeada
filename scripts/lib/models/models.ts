/** `scripts/models`: brings the detectors' weights. Its help stands in `scripts/models`. */
import { runCommand } from '../command/run-command.ts';

await runCommand('scripts/models', async () => (await import('./bring.ts')).bring, { onSignal: 'exit' });
