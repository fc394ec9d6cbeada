import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (args: readonly string[]) => promisify(execFile)('openssl', [...args], { timeout: 60_000 });

export interface Certificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate authority of our own and a server certificate for loopback, made once and kept in `dir`: everybody
 *  who asks for names that it covers gets the same one.
 *  @param hostNames DNS names beside `localhost` and 127.0.0.1 that the certificate must cover */
export async function ensureCertificates(dir: string, hostNames: readonly string[]): Promise<Certificates> {
  const at = (name: string) => join(dir, name);
  const files: Certificates = {
    caFile: at('ca.pem'),
    certFile: at('server.pem'),
    keyFile: at('server.key'),
  };
  const covered = coveredNames(at('names.json'));
  if (covered !== undefined && hostNames.every((name) => covered.includes(name))) return files;

  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const dnsNames = [...new Set([...(covered ?? []), ...hostNames])];
  const names = ['DNS:localhost', 'IP:127.0.0.1', ...dnsNames.map((name) => `DNS:${name}`)].join(',');
  writeFileSync(at('server.ext'), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
  const newKey = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl([
    ...newKey,
    '-x509',
    '-days',
    '3650',
    '-subj',
    '/CN=Dachawatch local CA',
    '-keyout',
    at('ca.key'),
    '-out',
    files.caFile,
  ]);
  await openssl([...newKey, '-subj', '/CN=localhost', '-keyout', files.keyFile, '-out', at('server.csr')]);
  await openssl([
    'x509',
    '-req',
    '-in',
    at('server.csr'),
    '-CA',
    files.caFile,
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-days',
    '3650',
    '-extfile',
    at('server.ext'),
    '-out',
    files.certFile,
  ]);
  writeFileSync(at('names.json'), JSON.stringify(dnsNames));
  return files;
}

/** The names a finished certificate covers; undefined when there is none. */
function coveredNames(file: string): readonly string[] | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : undefined;
}
