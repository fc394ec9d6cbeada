import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Certificates } from '../certificates.ts';
import type { ChangeRequests } from './change-requests.ts';
import type { LokiDatabase, MetadataStore } from './metadata-store.ts';

/** Azurite's name for what holds a document for each blob. */
export const BLOBS_COLLECTION = '$BLOBS_COLLECTION$';

/** Azurite's servers as far as this file uses them. */
interface AzuriteServer {
  readonly httpServer: Server;
  readonly metadataStore: { readonly db: LokiDatabase };
  readonly extentMetadataStore: { readonly db: LokiDatabase };
  start(): Promise<void>;
  close(): Promise<void>;
}
type Constructor<T> = { default: new (...args: unknown[]) => T };

export interface AzuriteServersDeps {
  readonly dataDir: string;
  readonly certificates: Certificates;
  readonly metadata: MetadataStore;
  readonly changeRequests: ChangeRequests;
  readonly blobPort: number;
  readonly queuePort: number;
  /** Also accept bearer tokens. Azurite does not check their signature: for tests of identities only. */
  readonly acceptUnsignedTokens: boolean;
  /** Called when what was acknowledged cannot be kept any more, like with a full disk. */
  readonly onSaveFailed: (error: Error) => void;
}

/** Azurite's blob and queue servers, in this process, on 127.0.0.1 over HTTPS.
 *  Invariant: a request is answered only after what it changed is on disk. The account and its key come from
 *  the environment variable AZURITE_ACCOUNTS, which Azurite reads by itself. */
export function createAzuriteServers(deps: AzuriteServersDeps) {
  const load = createRequire(import.meta.url);
  const { certificates, metadata, dataDir } = deps;
  const at = (name: string) => join(dataDir, name);

  const create = (service: 'blob' | 'queue', port: number): AzuriteServer => {
    const title = service === 'blob' ? 'Blob' : 'Queue';
    const { default: Configuration } = load(
      `azurite/dist/src/${service}/${title}Configuration`,
    ) as Constructor<object>;
    const { default: AzuriteServer } = load(
      `azurite/dist/src/${service}/${title}Server`,
    ) as Constructor<AzuriteServer>;
    const quiet = [false, undefined, false, undefined];
    const server = new AzuriteServer(
      new Configuration(
        ...['127.0.0.1', port, 5, at(`${service}-metadata`), at(`${service}-extents`)],
        [{ locationId: 'Default', locationPath: at(`${service}s`), maxConcurrency: 50 }],
        ...quiet,
        ...[false, true, certificates.certFile, certificates.keyFile, ''],
        deps.acceptUnsignedTokens ? 'basic' : undefined,
        false,
        false,
      ),
    );
    metadata.adopt(`${service}-extents`, server.extentMetadataStore.db);
    metadata.adopt(service, server.metadataStore.db);
    answerAfterSave(server.httpServer, service === 'blob' ? deps.changeRequests : undefined);
    return server;
  };

  const answerAfterSave = (httpServer: Server, changeRequests: ChangeRequests | undefined) => {
    const [answer] = httpServer.listeners('request');
    httpServer.removeAllListeners('request');
    httpServer.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (changeRequests?.take(request, response) === true) return;
      const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
      response.writeHead = (...args: unknown[]) => {
        try {
          metadata.save();
        } catch (error) {
          // Not answering is the honest answer: the caller tries again.
          response.destroy();
          deps.onSaveFailed(error as Error);
        }
        return writeHead(...args);
      };
      answer?.call(httpServer, request, response);
    });
  };

  mkdirSync(dataDir, { recursive: true });
  const blob = create('blob', deps.blobPort);
  const queue = create('queue', deps.queuePort);
  const portOf = (server: AzuriteServer) => {
    const address = server.httpServer.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  return {
    start: async () => {
      await blob.start();
      await queue.start();
      return { blobPort: portOf(blob), queuePort: portOf(queue) };
    },
    stop: async () => {
      deps.changeRequests.close();
      await queue.close();
      await blob.close();
    },
  };
}
