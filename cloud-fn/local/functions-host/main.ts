import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { flagsOf, logLine, portOf, refuse, serveUntilTold } from '../service-process.ts';
import { systemHostClock } from './clock.ts';
import { loadApp } from './core-api.ts';
import { createFunctionsHost } from './functions-host.ts';
import { readHostSettings } from './host-json.ts';
import { keysFileIn } from './http/keys.ts';

const USAGE = `Runs an unmodified Azure Functions app, Durable Functions included, on 127.0.0.1.
  --app FILE         entry of the app, ESM or CommonJS, TypeScript included (required)
  --data DIR         where orchestrations and keys are kept (required)
  --port N           default 7071; 0: chosen by the system
  --host-json FILE   default: host.json beside the app's entry or one folder up
App settings are this process's environment.`;

const flags = flagsOf(USAGE, {
  app: { type: 'string' },
  data: { type: 'string' },
  port: { type: 'string' },
  'host-json': { type: 'string' },
});
const appFile = resolve(flags.app ?? refuse('--app FILE is required: the entry of the functions app.'));
const dataDir = resolve(flags.data ?? refuse('--data DIR is required: the folder to keep state in.'));
const port = portOf('--port', flags.port) ?? 7071;
if (!existsSync(appFile)) refuse(`--app ${appFile} does not exist.`);
const hostJson =
  flags['host-json'] ??
  [join(dirname(appFile), 'host.json'), join(dirname(appFile), '..', 'host.json')].find((file) =>
    existsSync(file),
  );

await serveUntilTold(async () => {
  const host = createFunctionsHost({
    app: await loadApp(appFile),
    dataDir,
    hostSettings: readHostSettings(hostJson),
    appSettings: process.env,
    clock: systemHostClock,
    log: logLine,
  });
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
    stop: host.stop,
  };
});
