import { ticketDeskContract } from '../../fakes/ticket-desk-contract.ts';
import { createFakeTicketDesk } from '../../fakes/ticket-desk.ts';

ticketDeskContract('fake desk', async () => ({
  desk: createFakeTicketDesk({ deviceId: 'dacha-1' }),
  deviceId: 'dacha-1',
}));
