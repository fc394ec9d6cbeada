import df from 'durable-functions';
import { keepClips } from '../keeper/keep-clips.ts';
import { ports } from './composition.ts';
import { durableRuntime } from './instances/durable-runtime.ts';

/** Twice a minute: whatever died, every open clip ends in a verdict and everybody who is to be told is. */
df.app.client.timer('KeepClips', {
  schedule: '*/30 * * * * *',
  handler: async (_timer, client, context) => {
    const { storage, notification, deviceLink, clock, log } = ports();
    const runtime = durableRuntime({ storage }, client);
    const round = await keepClips({ storage, runtime, notification, deviceLink, clock, log });
    if (round.moved + round.failed > 0) context.log(`keeper: ${JSON.stringify(round)}`);
  },
});
