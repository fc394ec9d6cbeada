import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAIN, makePackage } from '../../scripts/lib/deploy-cloud/functions-package.ts';
import type { App } from './engines.ts';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const TEN_MINUTES_MS = 600_000;

/** The app of the scenarios about the engine itself. */
export const sampleApp = (storage: string): App => ({
  file: file('app/app.ts'),
  hostJson: file('app/host.json'),
  env: { ENGINE_STORAGE: storage },
});

export interface ProductOptions {
  readonly storage: string;
  /** Where its host.json is written: the product's own, with quicker queues. */
  readonly dir: string;
  readonly webhook: string;
  /** Program of its worker; without it somebody else is the worker. */
  readonly workerEntry?: string;
}

/** The product's own functions app, unmodified. */
export function productApp({ storage, dir, webhook, workerEntry }: ProductOptions): App {
  const host = JSON.parse(readFileSync(file('../../cloud-fn/host.json'), 'utf8')) as {
    extensions: { queues: object; durableTask: object };
  };
  const { queues, durableTask } = host.extensions;
  Object.assign(queues, { visibilityTimeout: '00:00:01', maxPollingInterval: '00:00:00.200' });
  Object.assign(durableTask, {
    storageProvider: { maxQueuePollingInterval: '00:00:00.100', partitionCount: 1 },
  });
  const hostJson = join(dir, 'product-host.json');
  writeFileSync(hostJson, JSON.stringify(host));
  return {
    file: file('../../cloud-fn/functions/app.ts'),
    hostJson,
    env: {
      DACHA_STORAGE_CONNECTION: storage,
      DACHA_ANALYSIS_WAIT_MS: String(TEN_MINUTES_MS),
      DACHA_NOTIFY_WEBHOOK: webhook,
      DACHA_COMPUTE: workerEntry === undefined ? 'none' : 'local-process',
      ...(workerEntry === undefined ? {} : { DACHA_WORKER_ENTRY: workerEntry }),
    },
  };
}

/** The same as it is put on Azure: what `scripts/deploy-cloud --package` makes of it, in the given folder. */
export async function packagedApp(options: ProductOptions): Promise<App> {
  await makePackage(options.dir);
  return { ...productApp(options), file: join(options.dir, 'app', MAIN) };
}
