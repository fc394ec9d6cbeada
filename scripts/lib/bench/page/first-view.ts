import type { Browser, BrowserContextOptions } from 'playwright-core';

/** A link that is bad and still one: bytes for each second, and milliseconds there and back. */
const LINK = { bytesPerSecond: 400_000 / 8, latencyMs: 400 };
/** So long without a request tells that the first view is complete. */
const QUIET_MS = 2_500;

export interface FirstView {
  /** From the start of loading until the house has said how it is. */
  readonly sentenceMs: number;
  /** On the wire, as the browser counts them, until nothing more is asked for: one look at the status included. */
  readonly bytes: number;
  readonly requests: number;
  readonly kinds: readonly { readonly kind: string; readonly bytes: number }[];
}

/** Opens the page for the first time over a bad link: nothing is in the cache. */
export async function firstView(
  browser: Browser,
  url: string,
  device: BrowserContextOptions,
): Promise<FirstView> {
  const context = await browser.newContext({ ...device, locale: 'uk-UA', timezoneId: 'Europe/Kyiv' });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: LINK.latencyMs,
      downloadThroughput: LINK.bytesPerSecond,
      uploadThroughput: LINK.bytesPerSecond,
    });
    const kinds = new Map<string, string>();
    const bytes = new Map<string, number>();
    let requests = 0;
    let lastMs = performance.now();
    session.on('Network.responseReceived', ({ requestId, type }) => void kinds.set(requestId, type));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      const kind = kinds.get(requestId) ?? 'Other';
      bytes.set(kind, (bytes.get(kind) ?? 0) + encodedDataLength);
      requests += 1;
      lastMs = performance.now();
    });
    await page.addInitScript(`new MutationObserver((_, observer) => {
      if (!document.getElementById('house')?.dataset.level) return;
      window.saidMs = performance.now();
      observer.disconnect();
    }).observe(document, { subtree: true, childList: true, attributes: true })`);
    await page.goto(url);
    await page.locator('#house[data-level]').waitFor();
    while (performance.now() - lastMs < QUIET_MS) await page.waitForTimeout(100);
    return {
      sentenceMs: Math.round(Number(await page.evaluate('window.saidMs'))),
      bytes: [...bytes.values()].reduce((sum, some) => sum + some, 0),
      requests,
      kinds: [...bytes].map(([kind, some]) => ({ kind, bytes: some })),
    };
  } finally {
    await context.close();
  }
}
