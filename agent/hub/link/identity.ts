import { Failure } from '../../kernel/failure.ts';

export interface HubIdentity {
  readonly hostName: string;
  readonly deviceId: string;
}

/** Who we are, out of a device connection string.
 *  @throws Failure `rejected`; never repeats the string, which is secret */
export function readIdentity(connectionString: string): HubIdentity {
  const fields = new Map(
    connectionString
      .split(';')
      .filter((part) => part.includes('='))
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const),
  );
  const [hostName, deviceId] = [fields.get('HostName'), fields.get('DeviceId')];
  for (const name of ['HostName', 'DeviceId', 'SharedAccessKey'])
    if (!fields.get(name)) throw unusable(`the hub connection string lacks ${name}`);
  return { hostName: hostName ?? '', deviceId: deviceId ?? '' };
}

/** @throws Failure `rejected` unless it reads `host:port` */
export function readEndpoint(text: string): { host: string; port: number } {
  const match = /^([A-Za-z0-9.-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match?.[1] || !(port > 0 && port <= 65_535))
    throw unusable(`${JSON.stringify(text)} is not an address of the form host:port`);
  return { host: match[1], port };
}

const unusable = (message: string) => new Failure('rejected', 'hub.settings', message);
