/** A functions app that tells which process it runs in, and does to that process what an app should not. */
import { app, type HttpRequest } from '@azure/functions';

process.stdout.write('an app may print what it likes\n');
if (process.env['SAMPLE_BROKEN'] === 'yes') throw new Error('this app is broken');

const http = (name: string, handler: (request: HttpRequest) => Promise<object>) =>
  app.http(name, { methods: ['GET', 'POST'], authLevel: 'anonymous', handler });

http('who', async () => ({ jsonBody: { pid: process.pid, host: process.env['WEBSITE_HOSTNAME'] } }));
http('bytes', async (request) => ({ body: new Uint8Array(await request.arrayBuffer()) }));
http('fail', async () => {
  throw new Error('as asked');
});
http('die', async () => process.exit(3));
http('hang', () => new Promise(() => undefined));
http('spin', async () => {
  for (;;) Math.random();
});
