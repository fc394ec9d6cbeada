import { uploadTicketsContract } from '../../fakes/upload-tickets-contract.ts';
import { createFakeUploadTickets } from '../../fakes/upload-tickets.ts';

uploadTicketsContract('fake hub', async () => ({
  hub: createFakeUploadTickets({ deviceId: 'dacha-1' }),
  deviceId: 'dacha-1',
}));
