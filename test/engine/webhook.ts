import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where the product's notifications go. It honours `Idempotency-Key`: what it has taken under a key it shows once. A
 *  notification about a clip whose name says so meets trouble. */
export interface Webhook {
  readonly address: string;
  /** Kinds of the notifications that came about a clip: every delivery, repeated and refused ones included. */
  heardAbout(blobName: string): readonly string[];
  /** Kinds of the notifications about a clip that a person saw. */
  shownAbout(blobName: string): readonly string[];
  /** Deliveries of what it had already taken. A person would see them if it did not look at the key. */
  redelivered(): number;
  stop(): Promise<void>;
}

interface Delivery {
  readonly blobName: string;
  readonly kind: string;
  readonly isShown: boolean;
}

export async function startWebhook(): Promise<Webhook> {
  const heard: Delivery[] = [];
  const taken = new Set<string>();
  let redelivered = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { kind, clip } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        kind: string;
        clip: { blobName: string } | null;
      };
      const blobName = clip?.blobName ?? '';
      const isRefused = blobName.includes('webhook-refuses');
      const key = request.headers['idempotency-key'];
      const isKnown = typeof key === 'string' && taken.has(key);
      if (isKnown) redelivered += 1;
      // What is refused is not taken: it may come again under its key.
      if (!isRefused && typeof key === 'string') taken.add(key);
      heard.push({ blobName, kind, isShown: !isRefused && !isKnown });
      if (blobName.includes('webhook-hangs')) return;
      response.writeHead(isRefused ? 400 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const about = (blobName: string) => heard.filter((one) => one.blobName === blobName);
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    heardAbout: (blobName) => about(blobName).map((one) => one.kind),
    shownAbout: (blobName) =>
      about(blobName)
        .filter((one) => one.isShown)
        .map((one) => one.kind),
    redelivered: () => redelivered,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
