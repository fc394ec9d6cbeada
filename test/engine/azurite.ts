import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lineReader } from './lines.ts';

const PROGRAM = fileURLToPath(import.meta.resolve('azurite/dist/src/azurite.js'));
const SERVICES = ['Blob', 'Queue', 'Table'] as const;
const READY_WITHIN_MS = 60_000;

export interface Azurite {
  /** Connection strings by account. */
  readonly accounts: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Azurite as it comes, over plain HTTP: the real engine needs tables too, which our own local storage does not offer.
 *  One account each, so that two engines do not meet.
 *  @param keeps on `disk`, in `dir`, for those who write more than some thousand times: what is removed from memory costs
 *    Azurite time with the square of its number, every ten minutes, in which it answers nobody */
export async function startAzurite(
  dir: string,
  names: readonly string[],
  keeps: 'memory' | 'disk' = 'memory',
): Promise<Azurite> {
  const keys = new Map(names.map((name) => [name, randomBytes(32).toString('base64')]));
  const quiet = ['--silent', '--disableTelemetry', '--skipApiVersionCheck'];
  const place = keeps === 'memory' ? ['--inMemoryPersistence'] : ['--location', join(dir, 'azurite')];
  const ports = ['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'];
  const child = spawn(process.execPath, [PROGRAM, ...quiet, ...place, ...ports], {
    cwd: dir,
    env: { ...process.env, AZURITE_ACCOUNTS: [...keys].map(([name, key]) => `${name}:${key}`).join(';') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const addresses = await addressesOf(child);
  const connection = (name: string, key: string) =>
    [
      'DefaultEndpointsProtocol=http',
      `AccountName=${name}`,
      `AccountKey=${key}`,
      ...SERVICES.map((service) => `${service}Endpoint=${addresses.get(service) ?? ''}/${name}`),
    ].join(';');
  return {
    accounts: Object.fromEntries([...keys].map(([name, key]) => [name, connection(name, key)])),
    stop: async () => {
      // It waits for connections that are kept alive, and holds nothing worth keeping.
      if (child.kill('SIGKILL')) await once(child, 'exit');
    },
  };
}

async function addressesOf(child: ChildProcess): Promise<ReadonlyMap<string, string>> {
  const addresses = new Map<string, string>();
  const read = lineReader(child);
  while (addresses.size < SERVICES.length) {
    const line = await read(READY_WITHIN_MS);
    const found = /^Azurite (\w+) service (?:is )?successfully listen(?:ing|s) (?:at|on) (\S+)/.exec(line);
    if (found !== null) addresses.set(found[1] ?? '', found[2] ?? '');
  }
  return addresses;
}
