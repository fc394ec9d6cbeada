import { ticketDeskContract } from '../../fakes/upload-tickets-contract.ts';
import { createFakeTicketDesk } from '../../fakes/upload-tickets.ts';

ticketDeskContract('fake desk', async () => ({
  desk: createFakeTicketDesk({ deviceId: 'dacha-1' }),
  deviceId: 'dacha-1',
}));
