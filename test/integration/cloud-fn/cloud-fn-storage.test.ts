import { after, before } from 'node:test';
import { createAzureStorage } from '../../../cloud-fn/ports/azure-storage.ts';
import { testStoragePort } from '../../fakes/cloud/storage-port.ts';
import { startCloudStorage, type CloudStorage } from './cloud-fn-fixture.ts';
import { makeWorld, type World } from '../hub/hub-fixture.ts';

let world: World;
let storage: CloudStorage;
before(async () => {
  world = await makeWorld();
  storage = await startCloudStorage(world);
});
after(async () => {
  await storage?.stop();
  world?.remove();
});

testStoragePort('Azurite', async () => createAzureStorage(storage));
