/** `scripts/bench`: measures the product. Its help stands in `scripts/bench`. */
import { benchFaults } from './faults/faults.ts';
import { benchMotion } from './motion/motion.ts';
import { benchMutants } from './mutants/mutants.ts';
import { Refusal, Unable } from './refusal.ts';
import { benchUpload } from './upload/upload.ts';

const BENCHES: Readonly<Record<string, (args: readonly string[], signal: AbortSignal) => Promise<void>>> = {
  faults: benchFaults,
  motion: benchMotion,
  mutants: benchMutants,
  upload: benchUpload,
};
/** Exit code of a program ended by Ctrl-C. */
const INTERRUPTED = 130;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());

const [name = '', ...args] = process.argv.slice(2);
try {
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (!bench)
    throw new Refusal(
      `${name ? `there is no benchmark "${name}"` : 'say what to measure'}: ${Object.keys(BENCHES).join(', ')}`,
    );
  await bench(args, interruption.signal);
} catch (error) {
  if (interruption.signal.aborted) process.exitCode = INTERRUPTED;
  else {
    process.stderr.write(`scripts/bench: ${(error as Error).message}\n`);
    process.exitCode = error instanceof Refusal ? 2 : error instanceof Unable ? 3 : 1;
  }
}
