/** `scripts/doctor`: what is here, what is not, and what mends it. Its help stands in `scripts/doctor`. */
import { runCommand } from '../command/run-command.ts';

await runCommand('scripts/doctor', async () => (await import('./examine.ts')).examine, { onSignal: 'exit' });
