/** `scripts/hub`: the operator's side of an IoT Hub. Its help stands in `scripts/hub`. */
import { runCommand } from '../command/run-command.ts';

await runCommand('scripts/hub', async () => (await import('./operate.ts')).operate, { onSignal: 'exit' });
