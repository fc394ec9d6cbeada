/** The process that runs the app, and nothing of the host: `main.ts APP`. It ends with the host that forked it. */
import { logLine } from '../../service-process.ts';
import { loadApp } from '../core-api.ts';
import { hostedFunctions } from '../triggers/bindings.ts';
import { createInvoker } from '../triggers/invoke.ts';
import type { Answer, Asked, Loaded } from './messages.ts';

const [, , appFile = ''] = process.argv;
const say = (message: Answer | Loaded) => void process.send?.(message, undefined, undefined, () => undefined);

process.once('disconnect', () => process.exit(0));
// A Ctrl-C reaches the whole group: the host still needs the app to end well.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

try {
  await serve();
} catch (error) {
  say({ failed: (error as Error).message });
}

async function serve(): Promise<void> {
  const app = await loadApp(appFile);
  const functions = new Map(hostedFunctions(app).map((one) => [one.name, one]));
  let client: object = {};
  // The host watches the time: it has to end this process when that is over.
  const invoker = createInvoker({ app, durableClient: () => client, log: logLine, timeoutMs: undefined });

  const done = async (asked: Asked) => {
    if (asked.what === 'started') {
      if (asked.hostName !== undefined) process.env['WEBSITE_HOSTNAME'] = asked.hostName;
      await invoker.appStarted();
      return undefined;
    }
    if (asked.what === 'terminating') {
      await invoker.appTerminating();
      return undefined;
    }
    const target = functions.get(asked.name);
    if (target === undefined) throw new Error(`There is no function ${asked.name}.`);
    client = asked.durableClient;
    return invoker.invoke(target, asked.invocation);
  };
  process.on('message', (message) => {
    const asked = message as Asked;
    const { id } = asked;
    done(asked).then(
      (value) => say({ id, value }),
      (error: unknown) =>
        say(
          error instanceof Error
            ? { id, error: { message: error.message, stack: error.stack ?? '' } }
            : { id, thrown: String(error) },
        ),
    );
  });
  say({ functions: [...app.functions.values()].map(({ metadata }) => metadata) });
}
