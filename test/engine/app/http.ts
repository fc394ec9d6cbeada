import { app } from '@azure/functions';
import df, { type DurableClient } from 'durable-functions';
import { slowBegun } from './activities.ts';

/** The triggers that orchestrators were called with, oldest first: what the app sees of the engine. */
const triggers = new Map<string, unknown[]>();
const deliveries = new Map<string, number>();

app.hook.preInvocation(({ invocationContext, inputs }) => {
  if (invocationContext.options.trigger.type !== 'orchestrationTrigger') return;
  const trigger = JSON.parse(JSON.stringify(inputs[0])) as { instanceId: string };
  triggers.set(trigger.instanceId, [...(triggers.get(trigger.instanceId) ?? []), trigger]);
});
app.http('triggers', {
  route: 'triggers/{id}',
  methods: ['GET'],
  handler: ({ params }) => ({ jsonBody: triggers.get(params['id'] ?? '') ?? [] }),
});

/** What the client library makes of the engine's answers. */
df.app.client.http('client', {
  route: 'client/{verb}/{id}',
  methods: ['POST'],
  handler: async (request, client) => {
    const { verb = '', id = '' } = request.params;
    const { name = '', value } = (await request.json()) as { name?: string; value?: unknown };
    if (verb === 'check-status') return client.createCheckStatusResponse(request, id);
    try {
      return { jsonBody: { answer: (await asked(client, verb, id, name, value)) ?? 'nothing' } };
    } catch (error) {
      return { jsonBody: { error: (error as Error).message } };
    }
  },
});

async function asked(client: DurableClient, verb: string, id: string, name: string, value: unknown) {
  switch (verb) {
    case 'start':
      return client.startNew(name, { instanceId: id, input: value });
    case 'raise':
      return client.raiseEvent(id, name, value);
    case 'raise-nothing':
      return client.raiseEvent(id, name, undefined);
    case 'status':
      return client.getStatus(id, { showInput: true });
    case 'history':
      return client.getStatus(id, { showHistory: true, showHistoryOutput: true });
    case 'terminate':
      return client.terminate(id, name);
    case 'suspend':
      return client.suspend(id, name);
    case 'resume':
      return client.resume(id, name);
    case 'rewind':
      return client.rewind(id, name);
    case 'purge':
      return client.purgeInstanceHistory(id);
    case 'payload':
      return client.createHttpManagementPayload(id);
    default:
      throw new Error(`There is no verb ${verb}.`);
  }
}

/** A message `{id, name, value}` is an event, one with `start` a new instance; one with `fail` is refused. */
app.storageQueue('queue', {
  queueName: 'engine-in',
  connection: 'ENGINE_STORAGE',
  extraInputs: [df.input.durableClient()],
  handler: async (entry, context) => {
    const { id, name, value, start, fail } = entry as Readonly<Record<string, string>>;
    if (id === undefined) throw new Error('The message has no id.');
    deliveries.set(id, (deliveries.get(id) ?? 0) + 1);
    if (fail !== undefined) throw new Error(fail);
    const client = df.getClient(context);
    if (start !== undefined)
      await client.startNew(start, { instanceId: id, input: { value, seen: seenOf(context) } });
    else await client.raiseEvent(id, name ?? '', value);
  },
});
const seenOf = (context: { readonly triggerMetadata?: object | undefined }) =>
  Object.entries(context.triggerMetadata ?? {})
    .map(([key, one]) => `${key} is a ${typeof one}`)
    .toSorted();
app.http('deliveries', {
  route: 'deliveries/{id}',
  methods: ['GET'],
  handler: ({ params }) => ({ jsonBody: deliveries.get(params['id'] ?? '') ?? 0 }),
});
app.http('slow-begun', {
  route: 'slow/{id}',
  methods: ['GET'],
  handler: ({ params }) => ({ jsonBody: slowBegun.has(params['id'] ?? '') }),
});
