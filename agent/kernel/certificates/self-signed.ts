import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, der, integer, octets, oid, sequence, set, truth, utcTime, utf8 } from './der.ts';

/** A private key with the certificate of its public key. */
export interface KeyAndCertificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the certificate, as browsers show it: pairs of digits with colons. */
  readonly fingerprint: string;
}

export interface CertificateOptions {
  readonly commonName: string;
  /** What it may be used for: to be asked for, or to ask. */
  readonly use: 'server' | 'client';
  /** Host names and addresses that it covers. */
  readonly names?: readonly string[];
}

/** A device may be made, or start first, with a clock that is years behind; and nobody renews this one. */
const VALID = { fromMs: Date.UTC(2020, 0, 1), toMs: Date.UTC(2049, 11, 31, 23, 59, 59) };

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
} as const;

/** Finds a key and its certificate in a text.
 *  @returns undefined when there is no key with its certificate */
export function readKeyAndCertificate(pem: string): KeyAndCertificate | undefined {
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
export function makeSelfSigned({ commonName, use, names = [] }: CertificateOptions): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const name = sequence(set(sequence(oid(OID.commonName), utf8(commonName))));
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name,
    sequence(utcTime(VALID.fromMs), utcTime(VALID.toMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions(use, names)),
  );
  const certificate = sequence(body, algorithm, bits(sign('sha256', body, privateKey)));
  const key = privateKey.export({ type: 'pkcs8', format: 'der' });
  return `${pemOf('PRIVATE KEY', key)}${pemOf('CERTIFICATE', certificate)}`;
}

const extensions = (use: 'server' | 'client', names: readonly string[]) =>
  sequence(
    // No authority: who trusts it trusts this device and no other.
    sequence(oid(OID.basicConstraints), truth(), octets(sequence())),
    // Digital signature.
    sequence(oid(OID.keyUsage), truth(), octets(bits(Buffer.from([0x80]), 7))),
    sequence(oid(OID.extendedKeyUsage), octets(sequence(oid(OID[use])))),
    ...(names.length === 0
      ? []
      : [sequence(oid(OID.subjectAltName), octets(sequence(...names.map(generalName))))]),
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
