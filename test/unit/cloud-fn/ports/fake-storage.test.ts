import { createFakeStorage, testStoragePort } from '../../../fakes/storage-port.ts';

testStoragePort('fake storage', async () => createFakeStorage().port);
