import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { DEVICE, eventually, HUB_NAME, makeLink, makeWorld, online, type World } from './hub-fixture.ts';

let world: World;
before(async () => {
  world = await makeWorld();
});
after(() => world.remove());

/** A peer that welcomes everybody, answers twin reads, and says what a test tells it to: no hub would. */
async function startPeer() {
  const published: { topic: string; body: string }[] = [];
  let socket: TLSSocket | undefined;
  const send = (packet: Packet) => socket?.write(mqttPacket.generate(packet));
  const say = (topic: string, body: string, qos: 0 | 1 = 0) =>
    send({
      cmd: 'publish',
      topic,
      payload: body,
      qos,
      dup: false,
      retain: false,
      ...(qos === 1 ? { messageId: 1 } : {}),
    });
  const { certFile, keyFile } = world.certificates;
  const server: Server = createServer(
    { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    (accepted) => {
      socket = accepted;
      const parser = mqttPacket.parser();
      accepted.on('data', (chunk) => parser.parse(chunk));
      accepted.on('error', () => {});
      parser.on('packet', (packet) => {
        const messageId = packet.messageId ?? 0;
        if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
        if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId, granted: [1] });
        if (packet.cmd !== 'publish') return;
        published.push({ topic: packet.topic, body: packet.payload.toString() });
        const rid = /GET\/\?\$rid=(.*)$/.exec(packet.topic)?.[1];
        if (rid)
          say(`$iothub/twin/res/200/?$rid=${rid}`, '{"desired":{"$version":1},"reported":{"$version":1}}');
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    published,
    say,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      socket?.destroy();
      await closed;
    },
  };
}

test('a peer that talks nonsense on every topic disturbs neither the agent nor the link', async () => {
  const peer = await startPeer();
  const key = Buffer.alloc(32, 1).toString('base64');
  const link = makeLink(
    world,
    {
      connectionString: `HostName=${HUB_NAME};DeviceId=${DEVICE};SharedAccessKey=${key}`,
      mqttPort: peer.port,
      httpsPort: peer.port,
    },
    { methods: { works: async () => ({ status: 200, payload: 'yes' }) } },
  );
  await link.start();
  await online(link);
  const nonsense: [string, string][] = [
    ['$iothub/methods/POST//?$rid=1', ''],
    ['$iothub/methods/POST/', ''],
    ['$iothub/methods/POST/works', ''],
    ['$iothub/methods/POST/works/?$rid=', '{'],
    ['$iothub/methods/POST/works/?$rid=2', '{'],
    ['$iothub/methods/POST/%E0%A4%A/?$rid=3', '{}'],
    ['$iothub/twin/PATCH/properties/desired/?$version=2', '{"a":'],
    ['$iothub/twin/PATCH/properties/desired/?$version=2', 'null'],
    ['$iothub/twin/PATCH/properties/desired/', '[]'],
    ['$iothub/twin/res/200/?$rid=nobody', '<html>'],
    ['$iothub/twin/res/', ''],
    ['$iothub/twin/%', '%'],
    [`devices/${DEVICE}/messages/devicebound/%E0%A4%A=1`, 'x'],
    ['weather/today', 'rain'],
  ];
  for (const [topic, body] of nonsense) peer.say(topic, body);
  peer.say(`devices/${DEVICE}/messages/devicebound/%24.mid=m1&%E0%A4%A=1`, 'verdict', 1);
  peer.say('$iothub/methods/POST/works/?$rid=last', 'null');
  const answers = () => peer.published.filter(({ topic }) => topic.startsWith('$iothub/methods/res/'));
  await eventually('the last call is answered', () => answers().some(({ topic }) => topic.includes('last')));
  assert.deepEqual(
    answers().map(({ topic, body }) => [topic.split('/')[3], topic.split('rid=')[1], body.slice(0, 24)]),
    [
      ['404', '1', '{"code":"method.unknown"'],
      ['400', '2', '{"code":"method.payload"'],
      ['404', '3', '{"code":"method.unknown"'],
      ['200', 'last', '"yes"'],
    ],
  );
  assert.deepEqual(
    link.stored.map(({ messageId }) => messageId.slice(0, 8)),
    ['unnamed-', 'm1'],
  );
  assert.equal(link.counts.online, 1);
  await link.stop();
  await peer.stop();
});
