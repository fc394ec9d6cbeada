import df from 'durable-functions';
import { ports } from './composition.ts';
import { purgeHistories } from './instances/purge-histories.ts';

/** Once a night, UTC: histories would grow for ever, and with them what looking through them costs. */
df.app.client.timer('PurgeHistories', {
  schedule: '0 40 3 * * *',
  handler: async (_timer, client, context) => {
    const purged = await purgeHistories(client, ports().clock.nowMs());
    if (purged > 0) context.log(`purged the histories of ${purged} orchestrations`);
  },
});
