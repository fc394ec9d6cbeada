import { fileURLToPath } from 'node:url';
import { startChildService, type ChildService } from '../child-service.ts';

/** What the storage process says once it serves. */
export interface StorageReady {
  readonly blobEndpoint: string;
  readonly queueEndpoint: string;
  readonly connectionString: string;
  readonly accountName: string;
  /** Certificate authority its clients must trust. */
  readonly caFile: string;
}

export interface StorageOptions {
  readonly dataDir: string;
  /** Shared with the other local services; by default a folder within `dataDir`. */
  readonly certificatesDir?: string;
  readonly blobPort?: number;
  readonly queuePort?: number;
  /** Tests of managed identities: bearer tokens are read but their signature is not checked. */
  readonly acceptUnsignedTokens?: boolean;
  readonly onLog?: (line: string) => void;
}

/** Starts `main.ts` beside this file as a child process. The child ends with this process. */
export function startStorage(options: StorageOptions): Promise<ChildService<StorageReady>> {
  const flag = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [name, String(value)];
  return startChildService<StorageReady>({
    main: fileURLToPath(new URL('main.ts', import.meta.url)),
    args: [
      ...flag('--data', options.dataDir),
      ...flag('--certificates', options.certificatesDir),
      ...flag('--blob-port', options.blobPort),
      ...flag('--queue-port', options.queuePort),
      ...(options.acceptUnsignedTokens === true ? ['--accept-unsigned-tokens'] : []),
    ],
    ...(options.onLog ? { onLog: options.onLog } : {}),
  });
}
