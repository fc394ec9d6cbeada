import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where the product's notifications go. A notification about a clip whose name says so meets trouble. */
export interface Webhook {
  readonly address: string;
  /** Kinds of the notifications that came about a clip, refused ones included. */
  heardAbout(blobName: string): readonly string[];
  stop(): Promise<void>;
}

export async function startWebhook(): Promise<Webhook> {
  const heard: { readonly blobName: string; readonly kind: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { kind, clip } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        kind: string;
        clip: { blobName: string } | null;
      };
      const blobName = clip?.blobName ?? '';
      heard.push({ blobName, kind });
      if (blobName.includes('webhook-hangs')) return;
      response.writeHead(blobName.includes('webhook-refuses') ? 400 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    heardAbout: (blobName) => heard.filter((one) => one.blobName === blobName).map((one) => one.kind),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
