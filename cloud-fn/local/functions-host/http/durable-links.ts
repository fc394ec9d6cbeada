import type { HostKeys } from './keys.ts';

export const MANAGEMENT = '/runtime/webhooks/durabletask';
/** Name of the connection that links carry; there is one store only. */
export const CONNECTION = 'Storage';

/** Path of the API for the app's own client. */
export const rpcPath = (keys: HostKeys): string => `/durabletask/${keys.rpc}/`;

export interface LinksOptions {
  /** Scheme and host, without a slash at the end. */
  readonly origin: string;
  readonly hub: string;
  readonly keys: HostKeys;
}

/** The management links of an instance that its start is answered with. */
export function managementLinks({ origin, hub, keys }: LinksOptions, id: string) {
  const at = `${origin}${MANAGEMENT}/instances/${formEncoded(id)}`;
  const query = `taskHub=${formEncoded(hub)}&connection=${CONNECTION}&code=${keys.durableTask}`;
  return {
    id,
    statusQueryGetUri: `${at}?${query}`,
    sendEventPostUri: `${at}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${at}/terminate?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${at}?${query}`,
    restartPostUri: `${at}/restart?${query}`,
    suspendPostUri: `${at}/suspend?reason={text}&${query}`,
    resumePostUri: `${at}/resume?reason={text}&${query}`,
  };
}

/** What a `durableClient` binding receives. */
export function durableClientPayload(options: LinksOptions): object {
  const { origin, hub, keys } = options;
  const create = `${origin}${MANAGEMENT}/orchestrators/{functionName}[/{instanceId}]`;
  const { id, statusQueryGetUri, sendEventPostUri, terminatePostUri, ...links } = managementLinks(
    options,
    'INSTANCEID',
  );
  const query = `code=${keys.durableTask}`;
  return {
    taskHubName: hub,
    creationUrls: {
      createNewInstancePostUri: `${create}?${query}`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${query}`,
    },
    managementUrls: {
      id,
      statusQueryGetUri,
      sendEventPostUri,
      terminatePostUri,
      rewindPostUri: terminatePostUri.replace('/terminate?', '/rewind?'),
      ...links,
    },
    baseUrl: `${origin}${MANAGEMENT}`,
    requiredQueryStringParameters: query,
    rpcBaseUrl: `${origin}${rpcPath(keys)}`,
  };
}

/** As in a form: a blank becomes a plus. */
export const formEncoded = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/['~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
