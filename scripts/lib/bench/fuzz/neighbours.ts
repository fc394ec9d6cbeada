/** Odd requests to the two other services of the local cloud, each in a process of its own with a witness: something that
 *  has to be as it was when all is over. */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildService, startChildService } from '../../../../cloud-fn/local/child-service.ts';
import { ensureCertificates } from '../../../../cloud-fn/local/certificates.ts';
import { SERVICE_POLICY } from '../../../../cloud-fn/local/iot-hub/parts.ts';
import { changesToken } from '../../../../cloud-fn/local/storage/change-requests.ts';
import { startStorage } from '../../../../cloud-fn/local/storage/storage.ts';
import { AT_ONCE } from './endpoint-fuzz.ts';
import type { OddRequest, Service } from './endpoints.ts';
import { hubEndpoints, hubToken, VICTIM_KEY, victimDevice } from './hub-endpoints.ts';
import { sendRequest } from './odd-request.ts';
import { storageEndpoints } from './storage-endpoints.ts';

const HUB = 'fuzz-hub.local';
const [VICTIM, WITNESS] = ['victim', 'witness'];

const valueOf = (connection: string, name: string) =>
  new RegExp(`(?:^|;)${name}=([^;]+)`).exec(connection)?.[1] ?? '';

function watched(service: ChildService<unknown>, agent: Agent) {
  let isAlive = true;
  void service.ended.then(() => (isAlive = false));
  return {
    isAlive: () => isAlive,
    stop: async () => {
      agent.destroy();
      await service.stop();
    },
  };
}

export async function startHub(dir: string): Promise<Service> {
  const { certFile, keyFile, caFile } = await ensureCertificates(join(dir, 'certificates'), [HUB]);
  const service = await startChildService<{ httpsPort: number; serviceConnectionString: string }>({
    main: fileURLToPath(new URL('../../../../cloud-fn/local/iot-hub/main.ts', import.meta.url)),
    args: [
      ...['--data', join(dir, 'hub'), '--cert', certFile, '--key', keyFile, '--host-name', HUB],
      ...['--device', VICTIM, '--device', WITNESS],
    ],
  });
  const agent = new Agent({
    keepAlive: true,
    maxSockets: AT_ONCE,
    ca: readFileSync(caFile),
    servername: HUB,
  });
  const { httpsPort: port, serviceConnectionString } = service.ready;
  const token = hubToken(HUB, valueOf(serviceConnectionString, 'SharedAccessKey'), SERVICE_POLICY);
  const send = (odd: OddRequest) => sendRequest(agent, port, odd);
  const ask = async (method: string, path: string, body = '') =>
    send({ method, path: `${path}?api-version=2021-04-12`, headers: { authorization: token }, body });
  const keyOf = async (device: string) => {
    const { body } = await ask('GET', `/devices/${device}`);
    return (JSON.parse(body) as { authentication: { symmetricKey: { primaryKey: string } } }).authentication
      .symmetricKey.primaryKey;
  };
  await ask('PATCH', `/twins/${WITNESS}`, JSON.stringify({ properties: { desired: { kept: 1 } } }));
  const witness = async () => {
    const [twin, key] = [await ask('GET', `/twins/${WITNESS}`), await keyOf(WITNESS)];
    return `${twin.status} ${twin.body} ${key}`;
  };
  const before = await witness();
  return {
    ...watched(service, agent),
    endpoints: hubEndpoints(VICTIM, {
      service: token,
      device: hubToken(`${HUB}/devices/${VICTIM}`, VICTIM_KEY),
    }),
    restore: [{}, { 'if-match': '*' }].map((more) => ({
      method: 'PUT',
      path: `/devices/${VICTIM}?api-version=2021-04-12`,
      headers: { authorization: token, ...more },
      body: JSON.stringify(victimDevice(VICTIM)),
    })),
    send,
    disturbed: async () =>
      (await witness()) === before ? undefined : 'the twin of another device has changed',
  };
}

export async function startStorageService(dir: string): Promise<Service> {
  const service = await startStorage({ dataDir: join(dir, 'storage') });
  const { connectionString, caFile, blobEndpoint } = service.ready;
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE, ca: readFileSync(caFile) });
  const token = changesToken(valueOf(connectionString, 'AccountKey'));
  const send = (odd: OddRequest) => sendRequest(agent, Number(new URL(blobEndpoint).port), odd);
  const changes = () =>
    send({
      method: 'GET',
      path: '/$changes?container=dacha-video',
      headers: { authorization: `Bearer ${token}` },
      body: '',
    });
  const before = (await changes()).body;
  return {
    ...watched(service, agent),
    endpoints: storageEndpoints(token),
    restore: [],
    send,
    disturbed: async () => ((await changes()).body === before ? undefined : 'the log of changes has changed'),
  };
}
