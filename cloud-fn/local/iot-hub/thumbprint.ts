import type { TLSSocket } from 'node:tls';
import type { Device } from './store/devices.ts';

/** SHA-1 or SHA-256 of a certificate, as IoT Hub keeps it. */
const THUMBPRINT = /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/;

/** @returns capitals without colons; undefined when it is none */
export function readThumbprint(text: string): string | undefined {
  const plain = text.replaceAll(':', '').toUpperCase();
  return THUMBPRINT.test(plain) ? plain : undefined;
}

/** Thumbprints of the certificate that the peer has shown and has the key of; none when it has shown none. */
export function thumbprintsOf(socket: TLSSocket): readonly string[] {
  // A server that never listened itself has sockets without a peer when the connection was cut.
  const certificate = socket.getPeerX509Certificate();
  return certificate
    ? [certificate.fingerprint256, certificate.fingerprint].flatMap((text) => readThumbprint(text) ?? [])
    : [];
}

/** Whether the hub knows the device by a certificate: then no key lets it in. */
export const goesByCertificate = (
  device: Pick<Device, 'primaryThumbprint' | 'secondaryThumbprint'>,
): boolean => device.primaryThumbprint !== null || device.secondaryThumbprint !== null;

/** Why a device that goes by certificate is not let in; undefined when it is. Who has signed the certificate and until
 *  when it is valid does not count: the hub was told this very one. */
export function certificateProblem(
  { primaryThumbprint, secondaryThumbprint }: Pick<Device, 'primaryThumbprint' | 'secondaryThumbprint'>,
  shown: readonly string[],
): string | undefined {
  if (shown.length === 0) return 'the device goes by certificate and has shown none';
  return shown.some((one) => one === primaryThumbprint || one === secondaryThumbprint)
    ? undefined
    : 'the certificate is not the one that the hub knows';
}
