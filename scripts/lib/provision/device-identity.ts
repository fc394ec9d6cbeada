import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSelfSigned } from '../../../agent/kernel/certificates/self-signed.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { replaceDurably } from '../../../agent/kernel/files/durable-file.ts';
import { readSmallText } from '../../../agent/kernel/files/regular-file.ts';
import { type HubIdentity, readIdentity } from '../../../agent/hub/link/identity.ts';
import { Refusal } from '../command/ends.ts';
import { whyNot } from '../command/folders.ts';

export interface MadeIdentity {
  /** Whether it was made just now. */
  readonly made: boolean;
  /** The file that holds it. */
  readonly credential: string;
  readonly hub: string;
  readonly deviceId: string;
  /** SHA-256 of the certificate, as the hub wants it. */
  readonly thumbprint: string;
}

export interface WantedIdentity {
  readonly hub: string;
  readonly deviceId: string;
  /** The folder, and the name in it. */
  readonly credentials: string;
  readonly credential: string;
}

const MAX_BYTES = 65_536;

/** The identity of a device at a hub, as the agent reads it: the one that stands in the folder, or a new one.
 *  Invariants
 *  1. The private key is written to this one file, for its owner alone, and told to nobody.
 *  2. What stands there is never replaced. Cut off anywhere, it leaves no file or a whole one.
 *  @throws Refusal when something else stands there */
export function makeIdentity({ hub, deviceId, credentials, credential }: WantedIdentity): MadeIdentity {
  const file = join(credentials, credential);
  // systemd would take either, and nobody would know which.
  const sealed = join(`${credentials}.encrypted`, credential);
  if (existsSync(sealed))
    throw new Refusal(`a sealed credential stands there already: ${sealed}; take it away to make another`);
  const kept = readKept(file);
  if (kept === undefined) replaceDurably(file, credentialText(hub, deviceId));
  const { certificate } = kept ?? readIdentity(readFileSync(file, 'utf8'));
  const known = kept ?? { hostName: hub, deviceId };
  if (!certificate)
    throw new Refusal(`${file} holds a key that the hub knows, too: take it away to make a certificate`);
  if (known.hostName.toLowerCase() !== hub || known.deviceId !== deviceId)
    throw new Refusal(
      `${file} is the identity of ${known.deviceId} at ${known.hostName}: take it away to make another`,
    );
  const thumbprint = certificate.fingerprint.replaceAll(':', '');
  return { made: kept === undefined, credential: file, hub, deviceId, thumbprint };
}

const credentialText = (hub: string, deviceId: string) =>
  `HostName=${hub};DeviceId=${deviceId};x509=true\n${makeSelfSigned({ commonName: deviceId, use: 'client' })}`;

/** @returns undefined when there is none
 *  @throws Refusal when it cannot be read, or is no identity */
function readKept(file: string): HubIdentity | undefined {
  try {
    return readIdentity(readSmallText(file, MAX_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const why = error instanceof Failure ? error.message : whyNot(error);
    throw new Refusal(`${file} cannot be used: ${why}`);
  }
}
