import { type KeyAndCertificate, readKeyAndCertificate } from '../../kernel/certificates/self-signed.ts';
import { Failure } from '../../kernel/failure.ts';

export interface HubIdentity {
  readonly hostName: string;
  readonly deviceId: string;
  /** Who has none proves itself by a key that the hub knows, too. */
  readonly certificate?: KeyAndCertificate;
}

/** Who we are, out of the credential: a device connection string with a shared access key; or one that says `x509=true`,
 *  and below it a private key with its certificate, PEM.
 *  @throws Failure `rejected`; never repeats the credential, which is secret */
export function readIdentity(credential: string): HubIdentity {
  const [connectionString = ''] = credential.split('-----BEGIN', 1);
  const fields = new Map(
    connectionString
      .trim()
      .split(';')
      .filter((part) => part.includes('='))
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const),
  );
  const [hostName, deviceId] = [fields.get('HostName'), fields.get('DeviceId')];
  const byCertificate = fields.get('x509') === 'true';
  for (const name of ['HostName', 'DeviceId', ...(byCertificate ? [] : ['SharedAccessKey'])])
    if (!fields.get(name)) throw unusable(`the hub connection string lacks ${name}`);
  const identity = { hostName: hostName ?? '', deviceId: deviceId ?? '' };
  if (!byCertificate) return identity;
  if (fields.has('SharedAccessKey'))
    throw unusable('the hub connection string holds both x509=true and a SharedAccessKey');
  const certificate = readKeyAndCertificate(credential);
  if (!certificate)
    throw unusable(
      'the hub connection string says x509=true, and no private key with its certificate stands below it',
    );
  return { ...identity, certificate };
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
