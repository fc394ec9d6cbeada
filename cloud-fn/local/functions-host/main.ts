import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { flagsOf, logLine, portOf, refuse, serveUntilTold } from '../service-process.ts';
import { startAppProcess } from './app-process/app-process.ts';
import { systemHostClock } from './clock.ts';
import { loadApp } from './core-api.ts';
import { createFunctionsHost } from './functions-host.ts';
import { createHostility } from './hostile/hostility.ts';
import { readHostSettings } from './host-json.ts';
import { keysFileIn } from './http/keys.ts';

const SEED_MAX = 2 ** 31;
const USAGE = `Runs an unmodified Azure Functions app, Durable Functions included, on 127.0.0.1.
  --app FILE         entry of the app, ESM or CommonJS, TypeScript included (required)
  --data DIR         where orchestrations and keys are kept (required)
  --port N           default 7071; 0: chosen by the system
  --host-json FILE   default: host.json beside the app's entry or one folder up
  --app-process      the app runs in a process of its own, which is started again whenever it ends
  --hostile SEED     does to the app, in a process of its own, whatever the real host may: timers early or late, events
                     dropped, statuses seconds old, everything twice, the app's process killed. A whole number;
                     the same does the same
App settings are this process's environment.`;

const flags = flagsOf(USAGE, {
  app: { type: 'string' },
  data: { type: 'string' },
  port: { type: 'string' },
  'host-json': { type: 'string' },
  'app-process': { type: 'boolean' },
  hostile: { type: 'string' },
});
const appFile = resolve(flags.app ?? refuse('--app FILE is required: the entry of the functions app.'));
const dataDir = resolve(flags.data ?? refuse('--data DIR is required: the folder to keep state in.'));
const port = portOf('--port', flags.port) ?? 7071;
if (!existsSync(appFile)) refuse(`--app ${appFile} does not exist.`);
const seed = flags.hostile === undefined ? undefined : seedOf(flags.hostile);
const hostJson =
  flags['host-json'] ??
  [join(dirname(appFile), 'host.json'), join(dirname(appFile), '..', 'host.json')].find((file) =>
    existsSync(file),
  );

await serveUntilTold(async () => {
  const appProcess =
    flags['app-process'] === true || seed !== undefined
      ? await startAppProcess({ appFile, env: process.env, log: logLine })
      : undefined;
  const host = createFunctionsHost({
    app: appProcess ?? (await loadApp(appFile)),
    dataDir,
    hostSettings: readHostSettings(hostJson),
    appSettings: process.env,
    clock: systemHostClock,
    log: logLine,
    ...(appProcess && seed !== undefined
      ? { hostile: { hostility: createHostility(seed), killApp: appProcess.killApp } }
      : {}),
  });
  if (seed !== undefined) logLine({ event: 'host.hostile', seed });
  const used = await host.start(port, (listening) => {
    // As on Azure: what the durable client builds its management links from.
    process.env['WEBSITE_HOSTNAME'] = `127.0.0.1:${listening}`;
  });
  const eventGrid = host.functions.find((one) => one.kind === 'eventGridTrigger');
  return {
    ready: {
      port: used,
      functions: host.functions.map((one) => one.name),
      keysFile: keysFileIn(dataDir),
      ...(eventGrid
        ? {
            eventGridUrl: `http://127.0.0.1:${used}/runtime/webhooks/eventgrid?functionName=${eventGrid.name}`,
          }
        : {}),
    },
    stop: async () => {
      await host.stop();
      await appProcess?.stop();
    },
  };
});

function seedOf(text: string): number {
  const seed = Number(text);
  return /^\d+$/.test(text) && seed >= 1 && seed <= SEED_MAX
    ? seed
    : refuse(`--hostile takes a whole number from 1 to ${SEED_MAX}, not "${text}".`);
}
