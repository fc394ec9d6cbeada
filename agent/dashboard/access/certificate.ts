import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Failure } from '../../kernel/failure.ts';
import { replaceDurably } from '../../kernel/files/durable-file.ts';
import { readSmallText } from '../../kernel/files/regular-file.ts';
import { bits, der, integer, octets, oid, sequence, set, truth, utcTime, utf8 } from './der.ts';

/** What the page shows who it is with. */
export interface DeviceCertificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the certificate, as browsers show it: pairs of digits with colons. */
  readonly fingerprint: string;
}

const FILE = 'page-certificate.pem';
export const certificateFile = (dataDir: string) => join(dataDir, FILE);
const MAX_BYTES = 65_536;
/** A device may be made, or start first, with a clock that is years behind; and nobody renews this one. */
const VALID = { fromMs: Date.UTC(2020, 0, 1), toMs: Date.UTC(2049, 11, 31, 23, 59, 59) };

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

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
  const pem = makeCertificate(names);
  replaceDurably(certificateFile(dataDir), pem);
  const certificate = parsePem(pem);
  if (!certificate) throw new Failure('bug', 'dashboard.certificate', 'a new certificate cannot be read');
  return { certificate, isNew: true };
}

/** The one that was made before.
 *  @returns undefined when there is none, or what stands there is none
 *  @throws the system's error when it cannot be read */
export function keptCertificate(dataDir: string): DeviceCertificate | undefined {
  try {
    return parsePem(readSmallText(certificateFile(dataDir), MAX_BYTES));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // What else stands under the name is moved aside when a new one is written.
    if (code === 'ENOENT' || (error instanceof Failure && error.kind === 'corrupt')) return undefined;
    throw error;
  }
}

/** @returns undefined when it is no key with its certificate */
function parsePem(pem: string): DeviceCertificate | undefined {
  const [key] = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/.exec(pem) ?? [];
  const [cert] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(pem) ?? [];
  if (key === undefined || cert === undefined) return undefined;
  try {
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return undefined;
    return { key, cert, fingerprint: parsed.fingerprint256 };
  } catch {
    // OpenSSL's errors have no kind of their own: whatever it says, this is no certificate.
    return undefined;
  }
}

/** A certificate that signs itself (RFC 5280), with a new P-256 key; PEM, the key first. */
function makeCertificate(names: readonly string[]): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const name = sequence(set(sequence(oid(OID.commonName), utf8('Dachawatch'))));
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name,
    sequence(utcTime(VALID.fromMs), utcTime(VALID.toMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions(names)),
  );
  const certificate = sequence(body, algorithm, bits(sign('sha256', body, privateKey)));
  const key = privateKey.export({ type: 'pkcs8', format: 'der' });
  return `${pemOf('PRIVATE KEY', key)}${pemOf('CERTIFICATE', certificate)}`;
}

const extensions = (names: readonly string[]) =>
  sequence(
    // No authority: who trusts it trusts this page and no other.
    sequence(oid(OID.basicConstraints), truth(), octets(sequence())),
    // Digital signature.
    sequence(oid(OID.keyUsage), truth(), octets(bits(Buffer.from([0x80]), 7))),
    sequence(oid(OID.extendedKeyUsage), octets(sequence(oid(OID.serverAuth)))),
    sequence(oid(OID.subjectAltName), octets(sequence(...names.map(generalName)))),
  );

function generalName(name: string): Buffer {
  switch (isIP(name)) {
    case 4:
      return der(0x87, Buffer.from(name.split('.').map(Number)));
    case 6:
      return der(0x87, ipv6Bytes(name));
    default:
      return der(0x82, Buffer.from(name, 'latin1'));
  }
}

function ipv6Bytes(address: string): Buffer {
  // WHATWG's URL writes an address in one way, without an IPv4 tail.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [at, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), at * 2);
  return bytes;
}

const pemOf = (label: string, bytes: Buffer) =>
  `-----BEGIN ${label}-----\n${bytes
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
