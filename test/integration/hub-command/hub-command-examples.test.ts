import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDesiredSettings } from '../../../agent/settings/settings.ts';
import { writeHubPlace } from '../../../scripts/lib/hub/place.ts';
import { COMPILED_CODE } from '../compiled-code.ts';
import { hubCommandWorld, outputOf, ROOT } from './hub-command-world.ts';
import { type Address, addressOf, eventually, makeWorld, silent, startHub } from '../hub/hub-fixture.ts';
const { openDevice, closeDevices, watchOver } = hubCommandWorld();

/** A device that follows desired properties as the agent does, and answers the methods of the examples. */
async function openHouse(address: Address, ca: string, dir: string): Promise<void> {
  const device = await openDevice(address, ca);
  const twin = await device.getTwin();
  const settings = createDesiredSettings({
    base: {
      recording: { preRollMs: 5_000, postRollMs: 30_000 },
      cameras: [{ id: 'demo', main: 'rtsp://demo/1', sub: 'rtsp://demo/2', sensitivity: 5 }],
    },
    dir,
    hasCredential: () => 'the appliance holds no such credential',
    apply: () => {},
    log: silent,
  });
  const follow = () => {
    const { $version, ...properties } = twin.properties.desired as { $version: number };
    settings.take({ version: $version, properties });
    const { version, refused } = settings.desired();
    twin.properties.reported['update']({ desiredVersion: version, refused }, () => {});
  };
  twin.on('properties.desired', follow);
  follow();
  device.onDeviceMethod('snapshot', (request, response) => {
    const { cameraId } = request.payload as { cameraId: string };
    response.send(200, { cameraId, jpeg: Buffer.alloc(4).toString('base64') }, () => {});
  });
  device.onDeviceMethod('recordNow', (_request, response) => {
    response.send(200, { clips: [] }, () => {});
  });
}

test('the examples of docs/twin.md do what the page says', async () => {
  const page = readFileSync(join(ROOT, 'docs/twin.md'), 'utf8');
  const blocks = (kind: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);
  const world = await makeWorld();
  const house = await startHub(world, { devices: ['dacha-1'] });
  try {
    const place = {
      serviceConnectionString: house.serviceConnectionString,
      httpsPort: String(house.httpsPort),
      caFile: world.certificates.caFile,
    };
    writeHubPlace(join(world.dir, 'run'), place);
    await openHouse(addressOf(house, 'dacha-1'), world.ca, join(world.dir, 'agent'));
    await eventually('the first answer', () => house.twins.get('dacha-1')?.reported['desiredVersion'] === 1);
    const shell = async (script: string, env: Record<string, string>) => {
      const child = spawn('sh', ['-c', script.replaceAll('scripts/hub', join(ROOT, 'scripts/hub'))], {
        cwd: world.dir,
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: world.dir,
          DACHAWATCH_STATE: world.dir,
          ...COMPILED_CODE,
          ...env,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      watchOver(child);
      const out = outputOf(child);
      await once(child, 'close');
      return out();
    };
    const examples = blocks('console').flatMap((block) => block.split(/^\$ /m).slice(1));
    assert.ok(examples.length >= 6);
    for (const example of examples) {
      const [line = '', ...said] = example.split('\n');
      assert.equal(await shell(line, {}), said.join('\n'), line);
    }
    const connection = house.serviceConnectionString.replace(/localhost:\d+/, `localhost:${house.httpsPort}`);
    writeFileSync(join(world.dir, 'house-hub.txt'), `${connection}\n`);
    for (const block of blocks('sh'))
      assert.match(await shell(block, { NODE_EXTRA_CA_CERTS: place.caFile }), /^dacha-1 {2}connected/);
  } finally {
    await closeDevices();
    await house.stop();
    world.remove();
  }
});
