import { createFakeStorage, testStoragePort } from '../../../fakes/cloud/storage-port.ts';

testStoragePort('fake storage', async () => createFakeStorage().port);
