import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startTcpProxy } from '../../engine/tcp-proxy.ts';

test('behind a proxy that is shut a service is away, also for who was talking to it; opened, it is there again', async () => {
  const held = Promise.withResolvers<void>();
  const service = createServer((request, response) => {
    if (request.url === '/slow') held.resolve();
    else response.end('here');
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const proxy = await startTcpProxy((service.address() as AddressInfo).port);
  const ask = (path: string) =>
    fetch(`http://127.0.0.1:${proxy.port}${path}`).then(
      (answer) => answer.text(),
      () => 'away',
    );
  try {
    assert.equal(await ask('/'), 'here');
    const slow = ask('/slow');
    await held.promise;
    await proxy.shut();
    assert.deepEqual([await slow, await ask('/')], ['away', 'away']);
    await proxy.open();
    assert.equal(await ask('/'), 'here');
  } finally {
    await proxy.stop();
    service.closeAllConnections();
    service.close();
  }
});
