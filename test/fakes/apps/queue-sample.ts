/** A functions app with queue and timer triggers that writes down what it was given. */
import { appendFileSync } from 'node:fs';
import { app, type InvocationContext } from '@azure/functions';

const note = (value: object) =>
  appendFileSync(process.env['SAMPLE_EFFECTS_FILE'] ?? '', `${JSON.stringify(value)}\n`);

app.storageQueue('OnMessage', {
  queueName: '%SAMPLE_QUEUE%',
  connection: 'SampleStorage',
  handler: (message: unknown, context: InvocationContext) => {
    const { id, dequeueCount, insertionTime, popReceipt, queueTrigger } = context.triggerMetadata ?? {};
    note({ message, id, dequeueCount, insertionTime, hasReceipt: popReceipt !== undefined, queueTrigger });
    const failUntil = (message as { failUntil?: number }).failUntil ?? 0;
    if (Number(dequeueCount) < failUntil) throw new Error('not this time');
  },
});
app.timer('EverySecond', {
  schedule: '* * * * * *',
  handler: (timer) => note({ timer: timer.isPastDue, next: timer.scheduleStatus.next }),
});
