import { DefaultAzureCredential } from '@azure/identity';
import { QueueServiceClient } from '@azure/storage-queue';

/** The pump polls again by itself; the client's default would wait for a minute after storage is back. */
const RETRY = { retryOptions: { maxTries: 2, retryDelayInMs: 500, tryTimeoutInMs: 30_000 } };

/** App settings: the environment of the app. */
export type AppSettings = Readonly<Record<string, string | undefined>>;

/** The queue service a trigger's `connection` names, found as Azure finds it: the setting of that name or with
 *  `AzureWebJobs` before it is a connection string; `<name>__queueServiceUri` is an address for the app's identity.
 *  @throws Error naming the settings that are missing */
export function queueServiceOf(connection: string, settings: AppSettings): QueueServiceClient {
  for (const name of [connection, `AzureWebJobs${connection}`]) {
    const connectionString = settings[name];
    if (connectionString !== undefined)
      return QueueServiceClient.fromConnectionString(connectionString, RETRY);
    const address = settings[`${name}__queueServiceUri`];
    if (address !== undefined) return new QueueServiceClient(address, new DefaultAzureCredential(), RETRY);
  }
  throw new Error(
    `The app setting "${connection}" (or "${connection}__queueServiceUri") of a queue trigger is not set.`,
  );
}

/** A name with its `%SETTING%` parts filled in.
 *  @throws Error naming the setting that is missing */
export function resolveName(name: string, settings: AppSettings): string {
  return name.replaceAll(/%([^%]+)%/g, (_, setting: string) => {
    const value = settings[setting];
    if (value === undefined) throw new Error(`The app setting "${setting}" in "${name}" is not set.`);
    return value;
  });
}
