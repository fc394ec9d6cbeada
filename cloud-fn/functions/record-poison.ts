import functions from '@azure/functions';
import { recordPoisonQueues } from '../keeper/record-poison.ts';
import { ports } from './composition.ts';

const known = new Set<string>();

/** Every minute: what lies in a poison queue is recorded, and a person is told of it once. */
functions.app.timer('RecordPoison', {
  schedule: '15 * * * * *',
  handler: async (_timer, context) => {
    const { storage, notification, clock } = ports();
    const told = await recordPoisonQueues({ storage, notification, clock, known });
    if (told > 0) context.log(`poison: told of ${told}`);
  },
});
