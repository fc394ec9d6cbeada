import { join } from 'node:path';
import {
  type KeyAndCertificate,
  makeSelfSigned,
  readKeyAndCertificate,
} from '../../kernel/certificates/self-signed.ts';
import { Failure } from '../../kernel/failure.ts';
import { replaceDurably } from '../../kernel/files/durable-file.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';

/** What the page shows who it is with. */
export type DeviceCertificate = KeyAndCertificate;

const FILE = 'page-certificate.pem';
export const certificateFile = (dataDir: string) => join(dataDir, FILE);
const MAX_BYTES = 65_536;

/** The certificate of this device, from the folder of its data; made when there is none, or what stands there is none.
 *  Key and certificate are one file, for its owner alone: they always belong together.
 *  @param names host names and addresses, for a new one
 *  @returns with whether it was made just now
 *  @throws the system's error when it cannot be read or kept */
export function deviceCertificate(
  dataDir: string,
  names: readonly string[],
): { readonly certificate: DeviceCertificate; readonly isNew: boolean } {
  const kept = keptCertificate(dataDir);
  if (kept) return { certificate: kept, isNew: false };
  const pem = makeSelfSigned({ commonName: 'Dachawatch', use: 'server', names });
  replaceDurably(certificateFile(dataDir), pem);
  const certificate = readKeyAndCertificate(pem);
  if (!certificate) throw new Failure('bug', 'dashboard.certificate', 'a new certificate cannot be read');
  return { certificate, isNew: true };
}

/** The one that was made before.
 *  @returns undefined when there is none, or what stands there is none
 *  @throws the system's error when it cannot be read */
export function keptCertificate(dataDir: string): DeviceCertificate | undefined {
  try {
    return readKeyAndCertificate(readSmallText(certificateFile(dataDir), MAX_BYTES));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // What else stands under the name is moved aside when a new one is written.
    if (code === 'ENOENT' || (error instanceof Failure && error.kind === 'corrupt')) return undefined;
    throw error;
  }
}
