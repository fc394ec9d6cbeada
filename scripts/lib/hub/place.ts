/** Where the hub is and what opens it: of the local one from a file that `scripts/run` writes, of another from the
 *  environment. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../../agent/kernel/failure.ts';
import { Refusal } from '../command/ends.ts';
import { moveAsideUnlessFile } from '../../../agent/kernel/files/move-aside.ts';
import { readSmallText } from '../../../agent/kernel/files/regular-file.ts';

export interface HubPlace {
  readonly host: string;
  /** Of HTTPS. */
  readonly port: number;
  /** Name of the policy and its key, base64. Secret. */
  readonly policy: string;
  readonly key: string;
  /** PEM of the authority behind a local hub's certificate. */
  readonly ca?: string;
  /** Data folder when it is the local hub. */
  readonly dataDir?: string;
}

/** Service connection string of another hub than the local one. */
export const CONNECTION_VARIABLE = 'DACHAWATCH_HUB_CONNECTION';

const FILE_BYTES_MAX = 64 * 1024;

const fileIn = (dataDir: string) => join(dataDir, 'cloud', 'iot-hub-service.json');

/** For `scripts/hub`. Only the owner may read it: it holds the hub's key.
 *  @param service as the local hub said when it was ready */
export function writeHubPlace(
  dataDir: string,
  service: {
    readonly serviceConnectionString: string;
    readonly httpsPort: string;
    readonly caFile: string;
  },
): void {
  const file = fileIn(dataDir);
  const connectionString = service.serviceConnectionString.replace(
    /^HostName=[^;]*/,
    `HostName=localhost:${service.httpsPort}`,
  );
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const content = `${JSON.stringify({ connectionString, caFile: service.caFile }, null, 2)}\n`;
  for (const path of [file, `${file}.tmp`]) moveAsideUnlessFile(path);
  writeFileSync(`${file}.tmp`, content, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
}

/** @param connection of another hub; the local one of `dataDir` when absent
 *  @throws Failure when there is none, Refusal when the string is unusable */
export function findHub(dataDir: string, connection: string | undefined): HubPlace {
  if (connection !== undefined) return readConnection(connection, CONNECTION_VARIABLE);
  let text: string;
  try {
    text = readSmallText(fileIn(dataDir), FILE_BYTES_MAX);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? '' : `: ${(error as Error).message}`;
    throw new Failure(
      'transient',
      'hub.not-found',
      `no hub was started in ${dataDir}; start scripts/run, or name its folder with --data${why}`,
    );
  }
  try {
    const { connectionString, caFile } = JSON.parse(text) as Record<string, unknown>;
    const ca = readFileSync(String(caFile), 'utf8');
    return { ...readConnection(String(connectionString), fileIn(dataDir)), ca, dataDir };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Failure('corrupt', 'hub.place', `${fileIn(dataDir)} is unusable: ${(error as Error).message}`);
  }
}

function readConnection(text: string, where: string): HubPlace {
  const part = (name: string) => new RegExp(`(?:^|;)\\s*${name}=([^;]*)`, 'i').exec(text.trim())?.[1] ?? '';
  const [, host = '', port = '443'] = /^([^\s:/]+)(?::(\d{1,5}))?$/.exec(part('HostName')) ?? [];
  const [policy, key] = [part('SharedAccessKeyName'), part('SharedAccessKey')];
  if (host && policy && /^[A-Za-z0-9+/]{16,}={0,2}$/.test(key))
    return { host, port: Number(port), policy, key };
  throw new Refusal(
    `${where} holds no service connection string: HostName=…;SharedAccessKeyName=…;SharedAccessKey=…`,
  );
}
